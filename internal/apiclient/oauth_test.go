package apiclient

import (
	"errors"
	"strings"
	"testing"
)

func TestRedirects(t *testing.T) {
	t.Parallel()
	list, err := Redirects("https://a.contoh.example/kembali?x=1\n http://127.0.0.1:8400/cb http://localhost/cb http://[::1]:1/ https://a.contoh.example/kembali?x=1")
	if err != nil || len(list) != 4 {
		t.Errorf("%v, %v", list, err)
	}
	for _, wrong := range []string{
		"http://a.contoh.example/", "https://a.contoh.example/#x", "https://a.contoh.example/#", "javascript:alert(1)", "/kembali", "https://u@a.contoh.example/", "data:text/html,x", "https:///x",
		"https://a.contoh.example/;form-action", "https://a.contoh.example/'x'", "//a.contoh.example/", strings.Repeat("https://a.contoh.example/"+strings.Repeat("x", 500), 1),
		"https://a.contoh.example/1 https://a.contoh.example/2 https://a.contoh.example/3 https://a.contoh.example/4 https://a.contoh.example/5 https://a.contoh.example/6 https://a.contoh.example/7 https://a.contoh.example/8 https://a.contoh.example/9 https://a.contoh.example/10 https://a.contoh.example/11",
	} {
		if _, err := Redirects(wrong); !errors.Is(err, ErrRedirect) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
