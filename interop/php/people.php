<?php
// Where people stand, their data, codes, seals.

step('status, profile, chain', function () use ($app, $nik, $told) {
    $a = $app->get("/api/user/status/$nik");
    same([200, 1111, 'ISSUE'], [$a->status, $a->json()['status_code'], $a->json()['status']], 'v1');
    must(!str_contains((string) $app->get("/api/user/status/$nik", null)->body, 'error'), 'v1 without a body');
    same(1110, $app->get('/api/user/status/3171010101010000')->json()['status_code'], 'v1, somebody unknown');
    $a = $app->json('/api/v2/user/check/status', ['nik' => $nik, 'email' => $told['signer']['email']]);
    same([200, '1111', 'ISSUE'], [$a->status, $a->json()['status_code'], $a->json()['status']], 'v2');
    $a = $app->stream('GET', "/api/user/status/$nik");
    same(1111, $a->json()['status_code'], 'v1 without cURL');
    $a = $app->json('/api/v2/user/check/status', ['nik' => '3171010101010000']);
    same([200, 'NOT_REGISTERED'], [$a->status, $a->json()['status']], 'v2, somebody unknown');
    $a = $app->stream('GET', '/api/user/profile/3171010101010000');
    must($a->json()['status_code'] === 1110 || $a->json()['status_code'] === '1110', 'profile of somebody unknown');
    same(true, $app->get("/api/user/profile/$nik")->json()['success'], 'profile');
    same(3, count($app->get("/api/v2/user/certificate/chain/$nik")->json()['data']), 'the chain');
});

step('the token of 2018 to 2020', function () use ($app, $told, $nik) {
    $path = '/oauth/token?' . http_build_query(['client_id' => $app->user, 'client_secret' => $app->password, 'grant_type' => 'client_credentials']);
    $j = $app->query($path, [], [])->json();
    must(isset($j['access_token'], $j['expires_in']), 'no token: ' . json_encode(array_keys($j)));
    same(1111, $app->bearer("/api/user/status/$nik", $j['access_token'])->json()['status_code'], 'status by a token');
    same('invalid_token', $app->bearer("/api/user/status/$nik", 'salah')->json()['error'], 'a wrong token');
});

step('registration, with fields in the query and scans in the body', function () use ($app, $told, $dir) {
    $p = $told['applicant'];
    $a = $app->query('/api/user/registrasi', [
        'nik' => $p['nik'], 'nama' => $p['name'], 'email' => 'baru.' . $p['email'], 'nomor_telepon' => '0800000000', 'kota' => 'Kota Rekaan', 'provinsi' => 'Provinsi Rekaan',
        'nip' => $p['nip'], 'jabatan' => 'Analis Contoh', 'unit_kerja' => 'Unit Contoh',
    ], ['image_ttd' => upload("$dir/ttd.png", 'image/png')]);
    must($a->status === 200 && isset($a->json()['message']), "status $a->status: $a->body");
    $a = $app->json('/api/v2/user/register', ['nama' => $told['signer']['name'], 'email' => $told['signer']['email']]);
    same(4024, $a->json()['status_code'], 'somebody who is registered');
});

step('TOTP: the signer makes a code, the application signs with it', function () use ($app, $told, $nik, $b64, $invisible) {
    $j = $app->json('/api/v2/sign/get/totp', ['nik' => $nik, 'data' => 2])->json();
    same(true, $j['success'], 'the request of a code');
    must(is_string($j['message']), 'there is no message');
    $signer = new Browser($told['url'], $told['signer']['nip'], $told['password']);
    $page = $signer->get('/dokumen/aplikasi/kode');
    $code = $signer->code($signer->post('/dokumen/aplikasi/kode', ['aplikasi' => $signer->choice($page, 'aplikasi', 'php-lama'), 'jumlah' => '2', 'passphrase' => $told['passphrase']]));
    same(4055, $app->json('/api/v2/sign/pdf', ['nik' => $nik, 'totp' => $code === '000000' ? '000001' : '000000', 'signatureProperties' => $invisible, 'file' => [$b64]])->json()['status_code'], 'a wrong code');
    signedV2('totp', $app->json('/api/v2/sign/pdf', ['nik' => $nik, 'otp' => (int) $code, 'signatureProperties' => $invisible, 'file' => [$b64, $b64]]), 2);
    must($app->json('/api/v2/sign/pdf', ['nik' => $nik, 'totp' => $code, 'signatureProperties' => $invisible, 'file' => [$b64]])->status >= 400, 'the code signs more than it was made for');
});

step('seal: two keepers open an activation, the application seals', function () use ($app, $told, $b64) {
    [$one, $two] = array_map(fn ($k) => new Browser($told['url'], $k['nip'], $told['password']), $told['keepers']);
    preg_match('{/segel/aktivasi/([a-z2-7]+)}', $one->get('/segel'), $m);
    $seal = $m[1];
    same(true, $app->json('/api/v2/seal/get/activation', ['idSubscriber' => $seal])->json()['success'], 'the request of an activation');
    $page = $one->get("/segel/aktivasi/$seal");
    $one->post("/segel/aktivasi/$seal", ['aplikasi' => $one->choice($page, 'aplikasi', 'php-lama'), 'jam' => '1', 'jumlah' => '10']);
    preg_match("{/segel/aktivasi/$seal/buka/[a-z2-7]+}", $two->get("/segel/aktivasi/$seal"), $m);
    $activation = $two->code($two->post($m[0], []));
    $j = $app->json('/api/v2/seal/get/activation', ['idSubscriber' => $seal, 'totp' => $activation])->json();
    same([true, true], [$j['success'], $j['data']['result']], 'how long it lasts');
    $j = $app->json('/api/v2/seal/get/totp', ['idSubscriber' => $seal, 'data' => '2', 'totp' => $activation])->json();
    same(true, $j['result'], 'the code');
    signedV2('seal', $app->json('/api/v2/seal/pdf', ['idSubscriber' => $seal, 'totp' => $j['totp'], 'signatureProperties' => [['tampilan' => 'INVISIBLE']], 'file' => [$b64, $b64]]), 2);
    same(200, $app->json('/api/v2/seal/revoke/activation', ['idSubscriber' => $seal, 'totp' => $activation])->status, 'its end');
    must($app->json('/api/v2/seal/get/totp', ['idSubscriber' => $seal, 'data' => 1, 'totp' => $activation])->status >= 400, 'an activation that ended');
});

step('Reset PIN', function () use ($app, $told) {
    same(true, $app->json('/api/user/passphrase/forget/' . $told['forgetful']['nik'], [])->json()['success'], 'the request');
});
