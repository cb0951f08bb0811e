// Weak words that the frequency lists lack. Order is rank: the first are the
// first that somebody would try.

// Phrases are written without their spaces; the estimator also looks at the
// passphrase with its separators taken out.
export const phrases = `rahasia katasandi sandirahasia passphrase akucintakamu akusayangkamu sayacintakamu
akucintaindonesia cintaindonesia indonesiaraya indonesiatanahairku tanahairku indonesiamerdeka merdekaataumati
merdeka 17081945 17agustus1945 merahputih bhinnekatunggalika bhinekatunggalika garudapancasila garudadidadaku pancasila dirgahayu nusantara
bersatukitateguh bersatukitateguhberceraikitaruntuh negarakesatuanrepublikindonesia republikindonesia
proklamasikemerdekaan tujuhbelasagustus ketuhananyangmahaesa bismillah bismillahirrahmanirrahim alhamdulillah
alhamdulillahirabbilalamin assalamualaikum assalamualaikumwarahmatullahiwabarakatuh lailahaillallah
insyaallah masyaallah subhanallah astaghfirullah allahuakbar tuhanmemberkati tuhanyesus yesuskristus
omswastiastu selamatpagi selamatsiang selamatmalam selamatdatang terimakasih terimakasihbanyak samasama apakabar
sayangku sayangkamu cintaku kekasihku anakku ibuku mamaku papaku istriku suamiku keluargaku keluargabahagia
buruburu janganlupa lupalagi siapaaku masukaja bukapintu sukasuka terserahaku bolehjuga
kementeriankeuangan kemenkeu kemenkeutepercaya nagaradanarakca direktoratjenderalpajak direktoratjenderal
sekretariatjenderal beacukai perbendaharaan pegawainegerisipil aparatursipilnegara pegawainegeri korpri
tandatangan tandatangandigital tandatanganelektronik sertifikatelektronik sertifikatdigital digitalsignature
registrasids nasigoreng nasipadang ayamgoreng ayamgeprek mieayam baksomalang sotoayam kopisusu tehmanis
correcthorsebatterystaple kudabenarbateraistaples kudabenarbaterai iloveyou iloveindonesia letmein whatever
thequickbrownfox openthedoor tobeornottobe maythefourcebewithyou maytheforcebewithyou`.split(/\s+/);

// Series are words that have an order which everybody knows.
export const series = [
  "nol satu dua tiga empat lima enam tujuh delapan sembilan sepuluh sebelas",
  "pertama kedua ketiga keempat kelima keenam ketujuh kedelapan kesembilan kesepuluh",
  "senin selasa rabu kamis jumat sabtu minggu",
  "januari februari maret april mei juni juli agustus september oktober november desember",
  "merah jingga kuning hijau biru nila ungu",
  "merkurius venus bumi mars yupiter saturnus uranus neptunus pluto",
  "aries taurus gemini cancer leo virgo libra scorpio sagitarius capricorn aquarius pisces",
  "pagi siang sore malam",
  "utara timur selatan barat",
  "do re mi fa sol la si",
  "siji loro telu papat limo enem pitu wolu songo sepuluh",
  "hiji dua tilu opat lima genep tujuh dalapan salapan sapuluh",
  "zero one two three four five six seven eight nine ten eleven twelve",
  "first second third fourth fifth sixth seventh eighth ninth tenth",
  "monday tuesday wednesday thursday friday saturday sunday",
  "january february march april may june july august september october november december",
  "red orange yellow green blue indigo violet",
  "north east south west",
  "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu",
  "alfa beta gamma delta epsilon zeta eta theta iota kappa lambda",
].map((s) => s.split(" "));

// Numbers are words that stand for digits in any order.
export const numbers = (
  "nol kosong satu dua tiga empat lima enam tujuh delapan sembilan sepuluh sebelas belas puluh ratus ribu juta " +
  "seratus seribu sejuta zero one two three four five six seven eight nine ten eleven twelve hundred thousand"
).split(" ");
