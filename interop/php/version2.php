<?php
// Version 2: JSON.

$invisible = [['tampilan' => 'INVISIBLE', 'location' => null, 'reason' => '']];

step('v2, one file', function () use ($app, $nik, $pass, $b64, $invisible) {
    signedV2('v2-one', $app->json('/api/v2/sign/pdf', ['nik' => $nik, 'email' => '', 'passphrase' => $pass, 'signatureProperties' => $invisible, 'file' => [$b64]]));
});

step('v2, NIK as a number, and JSON that is not announced', function () use ($app, $nik, $pass, $b64, $invisible) {
    signedV2('v2-number', $app->json('/api/v2/sign/pdf', ['nik' => (int) $nik, 'passphrase' => $pass, 'signatureProperties' => $invisible, 'file' => [$b64]]));
    signedV2('v2-plain', $app->json('/api/v2/sign/pdf', ['nik' => $nik, 'passphrase' => $pass, 'signatureProperties' => $invisible, 'file' => [$b64]], null));
});

step('v2, by e-mail, three files with a place each', function () use ($app, $told, $pass, $b64) {
    $at = ['page' => 1, 'originX' => 72.0, 'originY' => 100, 'width' => 150, 'height' => 75, 'location' => 'null', 'reason' => 'Persetujuan', 'pdfPassword' => null];
    signedV2('v2-three', $app->json('/api/v2/sign/pdf', ['email' => $told['signer']['email'], 'passphrase' => $pass, 'signatureProperties' => [
        $at + ['tampilan' => 'VISIBLE', 'imageBase64' => base64_encode(picture())],
        $at + ['tampilan' => 'visible', 'imageBase64' => 'data:image/png;base64,' . base64_encode(picture())],
        ['tampilan' => 'VISIBLE', 'tag' => '${ttd}', 'imageBase64' => base64_encode(picture()), 'width' => 120, 'height' => 60],
    ], 'file' => [$b64, $b64, $b64]]), 3);
});

step('v2, a form of nested fields', function () use ($app, $nik, $pass, $b64, $invisible) {
    signedV2('v2-form', $app->form('/api/v2/sign/pdf', ['nik' => $nik, 'passphrase' => $pass, 'signatureProperties' => $invisible, 'file' => [$b64, $b64]]), 2);
});

step('v2, without cURL', function () use ($app, $nik, $pass, $b64, $invisible) {
    signedV2('v2-stream', $app->stream('POST', '/api/v2/sign/pdf', ['nik' => $nik, 'passphrase' => $pass, 'signatureProperties' => $invisible, 'file' => [$b64]]));
});

step('v2, what is refused', function () use ($app, $nik, $pass, $b64, $invisible) {
    $call = fn (array $change) => $app->json('/api/v2/sign/pdf', $change + ['nik' => $nik, 'passphrase' => $pass, 'signatureProperties' => $invisible, 'file' => [$b64]]);
    $a = $call(['passphrase' => 'bukan frasa sandinya 1']);
    must($a->status >= 400 && $a->status < 500, "a wrong passphrase: $a->status");
    same(2031, $a->json()['status_code'], 'a wrong passphrase');
    must(!str_contains($a->body, 'bukan frasa'), 'the passphrase comes back');
    same(2011, $call(['nik' => '3171010101010000'])->json()['status_code'], 'somebody unknown');
    $a = $call(['file' => [base64_encode('bukan PDF')]]);
    must($a->status >= 400 && isset($a->json()['error']), 'no PDF');
    signedV2('v2-after-wrong', $call([]));
});

step('v2, verification', function () use ($app, $dir, $told, $b64) {
    $file = base64_encode(file_get_contents("$dir/v2-one-0.pdf"));
    $j = $app->json('/api/v2/verify/pdf', ['file' => $file, 'password' => ''])->json();
    same(['VALID', 'Dokumen valid, Sertifikat yang digunakan terpercaya', 1], [$j['conclusion'], $j['description'], $j['signatureCount']], 'what is said of a signed file');
    $s = $j['signatureInformations'][0];
    same(['PAdES-BASELINE-T', $told['signer']['name'], true, true], [$s['signatureFormat'], $s['signerName'], $s['integrityValid'], $s['certificateTrusted']], 'the facts');
    must(isset($s['timestampInfomation']['timestampDate']), 'the time stamp is missing');
    must(count($s['certificateDetails']) >= 2, 'the chain is missing');
    same($told['signer']['name'], $s['certificateDetails'][0]['commonName'], 'the first certificate');
    must(in_array('nonRepudiation', $s['certificateDetails'][0]['keyUsages'], true), 'the key usages are missing');
    must(DateTime::createFromFormat('Y-m-d\TH:i:s.vP', $s['signatureDate']) !== false, 'signatureDate is no time: ' . $s['signatureDate']);
    same(['NO_SIGNATURE', 0], (fn ($j) => [$j['conclusion'], $j['signatureCount']])($app->json('/api/v2/verify/pdf', ['file' => $b64])->json()), 'an unsigned file');
});

step('the sandbox: specimens', function () use ($trial, $dir, $nik, $b64, $invisible) {
    signed('specimen-v1', $trial->multipart('/api/sign/pdf', ['file' => upload("$dir/surat.pdf"), 'nik' => $nik, 'passphrase' => 'apa saja', 'tampilan' => 'invisible']), 1, 'specimen');
    signedV2('specimen-v2', $trial->json('/api/v2/sign/pdf', ['nik' => $nik, 'passphrase' => 'apa saja', 'signatureProperties' => $invisible, 'file' => [$b64]]), 1, 'specimen');
    same(2031, $trial->json('/api/v2/sign/pdf', ['nik' => $nik, 'passphrase' => 'salah', 'signatureProperties' => $invisible, 'file' => [$b64]])->json()['status_code'], 'a wrong passphrase');
});
