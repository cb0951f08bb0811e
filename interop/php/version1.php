<?php
// Version 1: forms.

step('v1, multipart with the file first, image=false', function () use ($app, $nik, $pass, $dir) {
    $id = signed('v1-qr', $app->multipart('/api/sign/pdf', [
        'file' => upload("$dir/surat.pdf"), 'imageTTD' => upload("$dir/ttd.png", 'image/png'), 'nik' => $nik, 'passphrase' => $pass, 'tampilan' => 'visible', 'image' => false,
        'linkQR' => 'Surat ini ditandatangani oleh Contoh', 'halaman' => 'PERTAMA', 'xAxis' => 72, 'yAxis' => 100, 'width' => 120, 'height' => 120, 'reason' => 'Persetujuan', 'location' => '',
    ]));
    $first = $app->get("/api/sign/download/$id");
    same(200, $first->status, 'the first download');
    same(file_get_contents("$dir/v1-qr.pdf"), $first->body, 'what was downloaded');
    $again = $app->get("/api/sign/download/$id");
    same(404, $again->status, 'the second download');
    same(4044, $again->json()['status_code'], 'the code of the second download');
});

step('v1, image=true with a picture, upper case', function () use ($app, $nik, $pass, $dir) {
    signed('v1-image', $app->multipart('/api/sign/pdf', [
        'file' => upload("$dir/surat.pdf"), 'imageTTD' => upload("$dir/ttd.png", 'image/png'), 'nik' => $nik, 'passphrase' => $pass, 'tampilan' => 'VISIBLE', 'image' => true,
        'page' => '2', 'xAxis' => '300', 'yAxis' => '100.5', 'width' => '150', 'height' => '80', 'linkQR' => 'https://contoh.example',
    ]));
});

step('v1, tag without image and sizes', function () use ($app, $nik, $pass, $dir) {
    signed('v1-tag', $app->multipart('/api/sign/pdf', ['file' => upload("$dir/surat.pdf"), 'nik' => $nik, 'passphrase' => $pass, 'tampilan' => 'visible', 'tag_koordinat' => '#']));
    signed('v1-long-tag', $app->multipart('/api/sign/pdf', [
        'file' => upload("$dir/surat.pdf"), 'nik' => $nik, 'passphrase' => $pass, 'tampilan' => 'visible', 'tag' => '${ttd}', 'image' => '0', 'linkQR' => 'x', 'width' => 90, 'height' => 90,
    ]));
});

step('v1, invisible, fields in the query', function () use ($app, $nik, $pass, $dir) {
    signed('v1-query', $app->query('/api/sign/pdf', ['nik' => $nik, 'passphrase' => $pass, 'tampilan' => 'invisible', 'reason' => 'Ujicoba & lain'], ['file' => upload("$dir/surat.pdf")]));
});

step('v1, a path with the address of its folder, and a file without a type', function () use ($app, $nik, $pass, $dir) {
    signed('v1-path', $app->multipart('/api/sign/pdf', ['file' => new CURLFile("$dir/surat.pdf"), 'nik' => $nik, 'passphrase' => $pass, 'tampilan' => 'invisible', 'image' => '', 'page' => '']));
});

step('v1, 3 MB, with Expect: 100-continue', function () use ($app, $nik, $pass, $dir) {
    signed('v1-large', $app->multipart('/api/sign/pdf', ['file' => upload("$dir/besar.pdf"), 'nik' => $nik, 'passphrase' => $pass, 'tampilan' => 'invisible']));
});

step('v1, HTTP/1.0, asked for the credential first', function () use ($app, $nik, $pass, $dir) {
    signed('v1-http10', $app->old('/api/sign/pdf', ['nik' => $nik, 'passphrase' => $pass, 'tampilan' => 'invisible', 'file' => upload("$dir/surat.pdf")]));
});

step('v1, a body written by hand', function () use ($app, $nik, $pass, $surat) {
    $fields = ['nik' => $nik, 'passphrase' => $pass, 'tampilan' => 'invisible'];
    signed('v1-hand', $app->byHand('/api/sign/pdf', $fields, ['file' => $surat]));
    signed('v1-unnamed', $app->byHand('/api/sign/pdf', $fields, ['file' => $surat], named: false));
    signed('v1-boundary', $app->byHand('/api/sign/pdf', $fields, ['file' => $surat], boundary: false));
});

step('v1, a picture without a name of a file', function () use ($app, $nik, $pass, $surat) {
    signed('v1-unnamed-picture', $app->byHand('/api/sign/pdf', [
        'nik' => $nik, 'passphrase' => $pass, 'tampilan' => 'visible', 'image' => 'true', 'halaman' => 'terakhir', 'xAxis' => 72, 'yAxis' => 72, 'width' => 100, 'height' => 50,
    ], ['file' => $surat, 'imageTTD' => picture()], named: false));
});

step('v1, a base URL with a slash at its end', function () use ($app, $nik, $pass, $dir) {
    signed('v1-slashes', $app->multipart('//api/sign/pdf', ['file' => upload("$dir/surat.pdf"), 'nik' => $nik, 'passphrase' => $pass, 'tampilan' => 'invisible']));
    signed('v1-slash', $app->multipart('/api/sign/pdf/', ['file' => upload("$dir/surat.pdf"), 'nik' => $nik, 'passphrase' => $pass, 'tampilan' => 'invisible']));
});

step('v1, jenis_response=BASE64', function () use ($app, $nik, $pass, $dir) {
    $a = $app->multipart('/api/sign/pdf', ['file' => upload("$dir/surat.pdf"), 'nik' => $nik, 'passphrase' => $pass, 'tampilan' => 'invisible', 'jenis_response' => 'BASE64']);
    $j = $a->json();
    must(isset($j['id_dokumen']) && !isset($j['error']), "status $a->status: $a->body");
    keep('v1-base64', base64_decode($j['base64_signed_file'], true));
});

step('v1, width and height as the upper right corner', function () use ($corner, $nik, $pass, $dir) {
    signed('v1-corner', $corner->multipart('/api/sign/pdf', [
        'file' => upload("$dir/surat.pdf"), 'nik' => $nik, 'passphrase' => $pass, 'tampilan' => 'visible', 'image' => 'false', 'linkQR' => 'x', 'page' => 1,
        'xAxis' => 410.2, 'yAxis' => 141.9, 'width' => 552.2, 'height' => 191.1,
    ]));
    must((bool) preg_match('{/Rect ?\[ ?410\.2 141\.9 552\.2 191\.1 ?\]}', file_get_contents("$dir/v1-corner.pdf")), 'the box is elsewhere');
});

step('v1, signed twice', function () use ($app, $nik, $pass, $dir) {
    signed('v1-second', $app->multipart('/api/sign/pdf', ['file' => upload("$dir/v1-qr.pdf"), 'nik' => $nik, 'passphrase' => $pass, 'tampilan' => 'invisible']), 2);
});

step('v1, what is refused', function () use ($app, $told, $nik, $pass, $dir) {
    $call = fn (array $change) => $app->multipart('/api/sign/pdf', array_filter($change + ['file' => upload("$dir/surat.pdf"), 'nik' => $nik, 'passphrase' => $pass, 'tampilan' => 'invisible'], fn ($v) => $v !== null));
    $a = $call(['passphrase' => 'bukan frasa sandinya 1']);
    same([400, 2031], [$a->status, $a->json()['status_code']], 'a wrong passphrase');
    must(str_contains($a->json()['error'], 'Passphrase'), 'the error does not say Passphrase');
    signed('v1-after-wrong', $call([])); // and the count begins anew
    same(2011, $call(['nik' => '3171010101010000'])->json()['status_code'], 'somebody unknown');
    same(4014, $call(['nik' => null])->json()['status_code'], 'without a NIK');
    same(4016, $call(['file' => null])->json()['status_code'], 'without a file');
    same(4017, $call(['tampilan' => 'visible', 'image' => false, 'linkQR' => 'x', 'page' => 99, 'xAxis' => 1, 'yAxis' => 1])->json()['status_code'], 'a page that is not there');
    $stranger = new Application($told['url'], 'php-lama', 'salah');
    $a = $stranger->get("/api/user/status/$nik");
    same(401, $a->status, 'a wrong credential');
    same(['error', 'path', 'status', 'timestamp'], (function () use ($a) { $k = array_keys($a->json()); sort($k); return $k; })(), 'the shape of 401');
});

step('v1, verification', function () use ($app, $dir, $told, $surat) {
    $j = $app->multipart('/api/sign/verify', ['signed_file' => upload("$dir/v1-qr.pdf")])->json();
    same(['v1-qr.pdf', 1, 'VALID'], [$j['nama_dokumen'], $j['jumlah_signature'], $j['summary']], 'what is said of a signed file, ' . json_encode($j['details']) . ',');
    $d = $j['details'][0];
    same([true, true, true], [$d['info_signer']['cert_user_certified'], $d['signature_document']['document_integrity'], $d['signature_document']['signed_using_tsa']], 'the facts');
    same($told['signer']['name'], $d['info_signer']['signer_name'], 'the signer');
    must(DateTime::createFromFormat('Y-m-d H:i:s.u', $d['signature_document']['signed_in'], new DateTimeZone('Asia/Jakarta')) !== false, 'signed_in is not a time: ' . $d['signature_document']['signed_in']);
    $j = $app->byHand('/api/sign/verify', [], ['signed_file' => file_get_contents("$dir/v1-second.pdf")], named: false)->json();
    same([2, 'VALID'], [$j['jumlah_signature'], $j['summary']], 'two signatures');
    $j = $app->multipart('/api/sign/verify', ['signed_file' => upload("$dir/surat.pdf")])->json();
    same([0, null, [], null], [$j['jumlah_signature'], $j['notes'], $j['details'], $j['summary']], 'an unsigned file');
    file_put_contents("$dir/diubah.pdf", str_replace('Surat Tugas', 'Surat Palsu', file_get_contents("$dir/v1-qr.pdf")));
    $j = $app->multipart('/api/sign/verify', ['signed_file' => upload("$dir/diubah.pdf")])->json();
    same(['INVALID', false], [$j['summary'], $j['details'][0]['signature_document']['document_integrity']], 'a changed file');
});
