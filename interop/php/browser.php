<?php
// What people do meanwhile on the pages: the signer makes a code, the keepers of a
// seal open an activation.

final class Browser
{
    private string $jar;

    public function __construct(private string $base, private string $nip, string $password)
    {
        $this->jar = tempnam(sys_get_temp_dir(), 'jar');
        $this->post('/masuk', ['username' => $nip, 'password' => $password]);
    }

    public function __destruct()
    {
        unlink($this->jar);
    }

    public function get(string $path): string
    {
        return $this->call($path, []);
    }

    public function post(string $path, array $fields): string
    {
        return $this->call($path, [CURLOPT_POST => true, CURLOPT_POSTFIELDS => http_build_query($fields)]);
    }

    private function call(string $path, array $options): string
    {
        $c = curl_init($this->base . $path);
        curl_setopt_array($c, $options + [
            CURLOPT_RETURNTRANSFER => true, CURLOPT_COOKIEFILE => $this->jar, CURLOPT_COOKIEJAR => $this->jar, CURLOPT_HTTPHEADER => ["Origin: $this->base", 'Accept-Language: id'],
        ]);
        $page = curl_exec($c);
        $status = curl_getinfo($c, CURLINFO_RESPONSE_CODE);
        unset($c); // writes the cookies
        if ($page === false || $status >= 400) {
            throw new RuntimeException("$this->nip: $path answers $status");
        }
        return $page;
    }

    /** choice is the value of the radio button or option whose label begins with $label. */
    public function choice(string $page, string $name, string $label): string
    {
        preg_match_all('{<input type="radio" id="([^"]+)" name="' . $name . '" value="([^"]+)"}', $page, $inputs, PREG_SET_ORDER);
        foreach ($inputs as [, $id, $value]) {
            if (preg_match('{<label[^>]* for="' . $id . '"[^>]*>(.*?)</label>}s', $page, $m) && str_starts_with(trim(strip_tags($m[1])), $label)) {
                return $value;
            }
        }
        preg_match_all('{<option value="([^"]+)"[^>]*>([^<]*)}', $page, $options, PREG_SET_ORDER);
        foreach ($options as [, $value, $text]) {
            if (str_starts_with(trim($text), $label)) {
                return $value;
            }
        }
        throw new RuntimeException("the page offers no $label");
    }

    /** code is the one that a page shows once. */
    public function code(string $page): string
    {
        if (!preg_match('{<span class="code">([^<]+)</span>}', $page, $m)) {
            throw new RuntimeException('the page shows no code');
        }
        return str_replace(' ', '', html_entity_decode($m[1]));
    }
}
