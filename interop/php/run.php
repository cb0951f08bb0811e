<?php
// An application in PHP that was written for the eSign Client Service calls Absah, with
// nothing changed but base URL and credential.
//
//   php run.php DIRECTORY
//
// DIRECTORY/service.json says where the service is and who is there (see
// scripts/interop-clients). Signed files are written to DIRECTORY, and DIRECTORY/signed
// lists them with how many signatures they hold, for the judges.

declare(strict_types=1);
error_reporting(E_ALL);
set_error_handler(function (int $n, string $text, string $file, int $line) {
    throw new ErrorException($text, 0, $n, $file, $line); // an old client would stumble there
});

require __DIR__ . '/application.php';
require __DIR__ . '/browser.php';
require __DIR__ . '/letter.php';

$dir = $argv[1];
$told = json_decode(file_get_contents("$dir/service.json"), true);
$failed = 0;

/** must says what is wrong. */
function must(bool $right, string $what): void
{
    if (!$right) {
        throw new RuntimeException($what);
    }
}

/** same compares what came with what has to come. */
function same(mixed $want, mixed $got, string $what): void
{
    must($want === $got, "$what is " . json_encode($got) . ', not ' . json_encode($want));
}

/** step runs one habit and says how it went. */
function step(string $name, callable $f): void
{
    global $failed;
    try {
        $f();
        echo "  PHP: $name: well\n";
    } catch (Throwable $e) {
        $failed++;
        echo "  PHP: $name: ", get_class($e), ': ', $e->getMessage(), "\n";
    }
}

/** keep writes a signed file for the judges. */
function keep(string $name, string $pdf, int $signatures = 1, string $verdict = 'valid'): void
{
    global $dir;
    must(str_starts_with($pdf, '%PDF-'), "$name is no PDF: " . substr($pdf, 0, 300));
    file_put_contents("$dir/$name.pdf", $pdf);
    file_put_contents("$dir/signed", "$name.pdf\t$signatures\t$verdict\n", FILE_APPEND);
}

/** signed holds an answer of version 1 to what clients read of it. */
function signed(string $name, Answer $a, int $signatures = 1, string $verdict = 'valid'): string
{
    must($a->status === 200, "status $a->status: " . substr($a->body, 0, 300));
    must((bool) preg_match('/^[0-9a-f]{32}$/', (string) $a->header('id_dokumen')), 'there is no header id_dokumen in small letters');
    must($a->header('signing_time') !== null, 'there is no header signing_time');
    must($a->header('Content-Disposition') !== null && $a->header('Content-Type') === 'application/pdf', 'the body is not announced as a file');
    keep($name, $a->body, $signatures, $verdict);
    return $a->header('id_dokumen');
}

/** signedV2 holds an answer of version 2 to what clients read of it. */
function signedV2(string $name, Answer $a, int $files = 1, string $verdict = 'valid'): void
{
    must($a->status === 200, "status $a->status: " . substr($a->body, 0, 300));
    $j = $a->json();
    must(is_int($j['time']) && array_is_list($j['file']) && !isset($j['error']), 'the answer has another shape');
    same($files, count($j['file']), 'the number of files');
    foreach ($j['file'] as $i => $b64) {
        keep("$name-$i", base64_decode($b64, true), 1, $verdict);
    }
}

$app = new Application($told['url'], 'php-lama', $told['clients']['php-lama']);
$corner = new Application($told['url'], 'php-sudut', $told['clients']['php-sudut']);
$trial = new Application($told['url'], 'php-uji', $told['clients']['php-uji']);
$nik = $told['signer']['nik'];
$pass = $told['passphrase'];
file_put_contents("$dir/signed", '');
file_put_contents("$dir/surat.pdf", letter('Surat Tugas Contoh'));
file_put_contents("$dir/besar.pdf", letter('Surat Besar Contoh', 1, 3_000_000));
file_put_contents("$dir/ttd.png", picture());
$surat = file_get_contents("$dir/surat.pdf");
$b64 = base64_encode($surat);

require __DIR__ . '/version1.php';
require __DIR__ . '/version2.php';
require __DIR__ . '/people.php';

exit($failed > 0 ? 1 : 0);
