<?php
// Calls of the eSign Client Service in the ways in which applications in PHP make
// them. Each function is one habit; none knows anything of Absah but base URL and
// credential.

/** Answer is what came back: status, headers as they were written, body. */
final class Answer
{
    public function __construct(public int $status, public string $headers, public string $body)
    {
    }

    /** json is the body as an array; of anything else it is empty. */
    public function json(): array
    {
        $v = json_decode($this->body, true);
        return is_array($v) ? $v : [];
    }

    /** header looks for a name in just these letters, as old clients do; the last answer of several counts. */
    public function header(string $name): ?string
    {
        preg_match_all('/^' . preg_quote($name, '/') . ': *(.*?)\r?$/m', $this->headers, $m);
        return $m[1] === [] ? null : end($m[1]);
    }
}

/** Application holds what an administrator of one changes: address and credential. */
final class Application
{
    /** @var resource|CurlHandle|null a handle that is kept, for connections that are used again */
    private $kept = null;

    public function __construct(public string $base, public string $user, public string $password)
    {
    }

    private function curl(string $path, array $options): Answer
    {
        $c = curl_init($this->base . $path);
        return $this->run($c, $options);
    }

    private function run($c, array $options): Answer
    {
        curl_setopt_array($c, $options + [
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_HEADER => true,
            CURLOPT_SSL_VERIFYPEER => false,
            CURLOPT_SSL_VERIFYHOST => 0,
            CURLOPT_TIMEOUT => 120,
        ]);
        $all = curl_exec($c);
        if ($all === false) {
            throw new RuntimeException('cURL: ' . curl_error($c));
        }
        $n = curl_getinfo($c, CURLINFO_HEADER_SIZE);
        return new Answer(curl_getinfo($c, CURLINFO_RESPONSE_CODE), substr($all, 0, $n), substr($all, $n));
    }

    private function basic(): string
    {
        return 'Authorization: Basic ' . base64_encode($this->user . ':' . $this->password);
    }

    /**
     * multipart sends an array with CURLFile, booleans as PHP has them (true is "1",
     * false is ""), and names the type without a boundary.
     */
    public function multipart(string $path, array $fields, array $more = []): Answer
    {
        return $this->curl($path, $more + [
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => $fields,
            CURLOPT_HTTPHEADER => [$this->basic(), 'Content-Type: multipart/form-data', 'cache-control: no-cache'],
        ]);
    }

    /** query puts everything but the files into the address. */
    public function query(string $path, array $fields, array $files): Answer
    {
        return $this->curl($path . ($fields === [] ? '' : '?' . http_build_query($fields)), [
            CURLOPT_CUSTOMREQUEST => 'POST',
            CURLOPT_POSTFIELDS => $files,
            CURLOPT_USERPWD => $this->user . ':' . $this->password,
        ]);
    }

    /** byHand writes the body itself, as HTTP libraries do; files have no name of a file where $named is false. */
    public function byHand(string $path, array $fields, array $files, bool $named = true, bool $boundary = true): Answer
    {
        $b = '----WebKitFormBoundary' . bin2hex(random_bytes(8));
        $body = '';
        foreach ($files as $name => $bytes) {
            $body .= "--$b\r\nContent-Disposition: form-data; name=\"$name\"" . ($named ? '; filename="file"' : '') . "\r\nContent-Length: " . strlen($bytes) . "\r\n\r\n$bytes\r\n";
        }
        foreach ($fields as $name => $value) {
            $body .= "--$b\r\nContent-Disposition: form-data; name=\"$name\"\r\n\r\n$value\r\n";
        }
        $body .= "--$b--\r\n";
        return $this->curl($path, [
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => $body,
            CURLOPT_HTTPHEADER => [$this->basic(), 'Content-Type: multipart/form-data' . ($boundary ? "; boundary=$b" : '')],
        ]);
    }

    /** old speaks HTTP/1.0 and lets the server ask for the credential first. */
    public function old(string $path, array $fields): Answer
    {
        return $this->curl($path, [
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => $fields,
            CURLOPT_HTTP_VERSION => CURL_HTTP_VERSION_1_0,
            CURLOPT_HTTPAUTH => CURLAUTH_ANY,
            CURLOPT_USERPWD => $this->user . ':' . $this->password,
        ]);
    }

    /** json posts JSON as json_encode writes it: with slashes escaped. */
    public function json(string $path, array $body, ?string $type = 'application/json'): Answer
    {
        $headers = [$this->basic(), 'Accept: application/json'];
        if ($type !== null) {
            $headers[] = 'Content-Type: ' . $type;
        }
        return $this->curl($path, [CURLOPT_CUSTOMREQUEST => 'POST', CURLOPT_POSTFIELDS => json_encode($body), CURLOPT_HTTPHEADER => $headers]);
    }

    /** form posts nested arrays as http_build_query writes them. */
    public function form(string $path, array $body): Answer
    {
        return $this->curl($path, [CURLOPT_POST => true, CURLOPT_POSTFIELDS => http_build_query($body), CURLOPT_HTTPHEADER => [$this->basic()]]);
    }

    /** get calls by GET with a body, on a connection that is kept. */
    public function get(string $path, ?string $body = '[]'): Answer
    {
        $this->kept ??= curl_init();
        $options = [CURLOPT_URL => $this->base . $path, CURLOPT_CUSTOMREQUEST => 'GET', CURLOPT_HTTPHEADER => [$this->basic(), 'Content-Type: application/json']];
        if ($body !== null) {
            $options[CURLOPT_POSTFIELDS] = $body;
        }
        return $this->run($this->kept, $options);
    }

    /** stream does without cURL: file_get_contents with a context. */
    public function stream(string $method, string $path, ?array $body = null): Answer
    {
        $http = ['method' => $method, 'ignore_errors' => true, 'timeout' => 120, 'header' => $this->basic() . "\r\nContent-Type: application/json"];
        if ($body !== null) {
            $http['content'] = json_encode($body);
        }
        $text = file_get_contents($this->base . $path, false, stream_context_create(['http' => $http]));
        if ($text === false) {
            throw new RuntimeException("$path: no answer");
        }
        preg_match('{^HTTP/\S+ (\d+)}', $http_response_header[0], $m);
        return new Answer((int) $m[1], implode("\r\n", $http_response_header) . "\r\n", $text);
    }

    /** bearer calls with a token of the interface before version 1. */
    public function bearer(string $path, string $token, string $method = 'GET'): Answer
    {
        return $this->curl($path, [CURLOPT_CUSTOMREQUEST => $method, CURLOPT_HTTPHEADER => ["Authorization: Bearer $token"]]);
    }
}

/** upload is a file as an application hands it to cURL. */
function upload(string $path, string $type = 'application/pdf'): CURLFile
{
    return new CURLFile($path, $type, basename($path));
}
