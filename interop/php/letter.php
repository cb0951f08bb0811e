<?php
// Letters and pictures to sign with, made here.

/** letter is a PDF of $pages pages; each has the marks # and ${ttd}. $ballast makes it longer by so many bytes. */
function letter(string $title, int $pages = 2, int $ballast = 0): string
{
    $objects = [1 => '<</Type/Catalog/Pages 2 0 R>>', 3 => '<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>'];
    $kids = '';
    for ($i = 0; $i < $pages; $i++) {
        $n = 4 + 2 * $i;
        $kids .= "$n 0 R ";
        $text = 'BT /F 14 Tf 72 770 Td (' . addcslashes($title, '()\\') . ' ' . ($i + 1) . ') Tj ET BT /F 12 Tf 120 300 Td (#) Tj ET BT /F 12 Tf 380 300 Td (${ttd}) Tj ET';
        $objects[$n] = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Contents " . ($n + 1) . ' 0 R>>';
        $objects[$n + 1] = '<</Length ' . strlen($text) . ">>\nstream\n$text\nendstream";
    }
    $objects[2] = "<</Type/Pages/Kids[$kids]/Count $pages>>";
    if ($ballast > 0) {
        $objects[4 + 2 * $pages] = "<</Length $ballast>>\nstream\n" . random_bytes($ballast) . "\nendstream";
    }
    ksort($objects);
    $out = "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n";
    $table = "xref\n0 " . (count($objects) + 1) . "\n0000000000 65535 f \n";
    foreach ($objects as $n => $o) {
        $table .= sprintf("%010d 00000 n \n", strlen($out));
        $out .= "$n 0 obj\n$o\nendobj\n";
    }
    return $out . $table . 'trailer<</Size ' . (count($objects) + 1) . "/Root 1 0 R>>\nstartxref\n" . strlen($out) . "\n%%EOF\n";
}

/** picture is a PNG of a pen's stroke. */
function picture(): string
{
    $rows = '';
    for ($y = 0; $y < 60; $y++) {
        $rows .= "\0";
        for ($x = 0; $x < 160; $x++) {
            $rows .= abs($y - 30 - 20 * sin($x / 12)) < 2 ? "\x14\x1e\x78\xff" : "\xff\xff\xff\x00";
        }
    }
    $chunk = fn (string $type, string $data) => pack('N', strlen($data)) . $type . $data . pack('N', crc32($type . $data));
    return "\x89PNG\r\n\x1a\n" . $chunk('IHDR', pack('NNCCCCC', 160, 60, 8, 6, 0, 0, 0)) . $chunk('IDAT', gzcompress($rows)) . $chunk('IEND', '');
}
