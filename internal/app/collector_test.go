package app

import (
	"io/fs"
	"testing"
)

func TestSoftLimitFollowsMachineAndContainer(t *testing.T) {
	t.Parallel()
	const machine = "MemTotal:        8388608 kB\nMemFree:          81920 kB\n"
	for _, c := range []struct {
		name, machine, container string
		want                     int64
	}{
		{"machine", machine, "", 2 << 30},
		{"container without limit", machine, "max\n", 2 << 30},
		{"container", machine, "2147483648\n", 512 << 20},
		{"container larger than the machine", machine, "99147483648\n", 2 << 30},
		{"container alone", "", "4294967296\n", 1 << 30},
		{"small", "MemTotal: 524288 kB\n", "", 256 << 20},
		{"nothing known", "", "", 0},
		{"nonsense", "MemTotal: many kB", "-7", 0},
	} {
		got := softLimit(func(path string) ([]byte, error) {
			text := map[string]string{machineMemory: c.machine, containerMemory: c.container}[path]
			if text == "" {
				return nil, fs.ErrNotExist
			}
			return []byte(text), nil
		})
		if got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
