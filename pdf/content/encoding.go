package content

import (
	"strconv"
	"strings"
	"sync"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// encoding gives the characters of a simple font's codes; "" is unknown.
type encoding [256]string

// winAnsi, macRoman and standard are the encodings of ISO 32000-2 Annex D.
func winAnsi() *encoding {
	return fromCharmap(charmap.Windows1252, map[byte]string{0xA0: " ", 0xAD: "-"})
}

func macRoman() *encoding { return fromCharmap(charmap.Macintosh, map[byte]string{0xCA: " "}) }

func fromCharmap(m *charmap.Charmap, other map[byte]string) *encoding {
	e := new(encoding)
	for i := 32; i < 256; i++ {
		if r := m.DecodeByte(byte(i)); r != '\uFFFD' && r >= 32 {
			e[i] = string(r)
		}
	}
	for c, s := range other {
		e[c] = s
	}
	return e
}

// standardUpper are the names of the upper half of the standard encoding.
const standardUpper = "exclamdown cent sterling fraction yen florin section currency quotesingle quotedblleft guillemotleft guilsinglleft guilsinglright fi fl" +
	" . endash dagger daggerdbl periodcentered . paragraph bullet quotesinglbase quotedblbase quotedblright guillemotright ellipsis perthousand . questiondown" +
	" . grave acute circumflex tilde macron breve dotaccent dieresis . ring cedilla . hungarumlaut ogonek caron emdash" +
	" . . . . . . . . . . . . . . . . AE . ordfeminine . . . . Lslash Oslash OE ordmasculine . . . . . ae . . . dotlessi . . lslash oslash oe germandbls"

func standard() *encoding {
	e := new(encoding)
	for i := 32; i < 127; i++ {
		e[i] = string(rune(i))
	}
	e['\''], e['`'] = "’", "‘"
	// The upper half by the names of Annex D.2, from code A1; a dot is an empty place.
	names := strings.Fields(standardUpper)
	for i, n := range names {
		if n != "." {
			e[0xA1+i], _ = glyphText(n)
		}
	}
	return e
}

// named are glyph names of the Adobe Glyph List that no rule gives: the name and
// its characters.
const named = "space   exclam ! quotedbl \" numbersign # dollar $ percent % ampersand & quotesingle ' parenleft ( parenright ) asterisk * plus +" +
	" comma , hyphen - period . slash / zero 0 one 1 two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 colon : semicolon ; less < equal = greater >" +
	" question ? at @ bracketleft [ backslash \\ bracketright ] asciicircum ^ underscore _ grave ` braceleft { bar | braceright } asciitilde ~" +
	" exclamdown ¡ cent ¢ sterling £ currency ¤ yen ¥ brokenbar ¦ section § dieresis ¨ copyright © ordfeminine ª guillemotleft « logicalnot ¬ registered ®" +
	" macron ¯ degree ° plusminus ± twosuperior ² threesuperior ³ acute ´ mu µ paragraph ¶ periodcentered · cedilla ¸ onesuperior ¹ ordmasculine º" +
	" guillemotright » onequarter ¼ onehalf ½ threequarters ¾ questiondown ¿ AE Æ Eth Ð Oslash Ø Thorn Þ germandbls ß ae æ eth ð multiply × oslash ø" +
	" thorn þ divide ÷ dotlessi ı dotlessj ȷ Lslash Ł lslash ł OE Œ oe œ florin ƒ circumflex ˆ tilde ˜ breve ˘ dotaccent ˙ ring ˚ ogonek ˛ caron ˇ" +
	" hungarumlaut ˝ endash – emdash — quoteleft ‘ quoteright ’ quotesinglbase ‚ quotedblleft “ quotedblright ” quotedblbase „ dagger † daggerdbl ‡" +
	" bullet • ellipsis … perthousand ‰ guilsinglleft ‹ guilsinglright › fraction ⁄ Euro € euro € trademark ™ minus − fi fi fl fl ff ff ffi ffi ffl ffl" +
	" nbspace   nonbreakingspace   softhyphen - sfthyphen - Dcroat Đ dcroat đ Dslash Đ dmacron đ Eng Ŋ eng ŋ Hbar Ħ hbar ħ Tbar Ŧ tbar ŧ kgreenlandic ĸ" +
	" Ohorn Ơ ohorn ơ Uhorn Ư uhorn ư dong ₫ numero № underscoredbl ‗ onethird ⅓ twothirds ⅔ infinity ∞ notequal ≠ lessequal ≤ greaterequal ≥ summation ∑" +
	" product ∏ integral ∫ radical √ approxequal ≈ partialdiff ∂ lozenge ◊ Omega Ω Delta Δ pi π arrowleft ← arrowup ↑ arrowright → arrowdown ↓" +
	" alpha α beta β gamma γ delta δ epsilon ε zeta ζ eta η theta θ iota ι kappa κ lambda λ nu ν xi ξ omicron ο rho ρ sigma σ tau τ upsilon υ phi φ chi χ" +
	" psi ψ omega ω Alpha Α Beta Β Gamma Γ Epsilon Ε Zeta Ζ Eta Η Theta Θ Iota Ι Kappa Κ Lambda Λ Mu Μ Nu Ν Xi Ξ Omicron Ο Pi Π Rho Ρ Sigma Σ Tau Τ" +
	" Upsilon Υ Phi Φ Chi Χ Psi Ψ"

// accents are the second halves of names such as eacute.
const accents = "grave \u0300 acute \u0301 circumflex \u0302 tilde \u0303 macron \u0304 breve \u0306 dotaccent \u0307 dot \u0307 dieresis \u0308 hookabove \u0309 ring \u030A" +
	" hungarumlaut \u030B caron \u030C dotbelow \u0323 cedilla \u0327 ogonek \u0328 commaaccent \u0327"

type names struct{ glyphs, accents map[string]string }

// glyphNames reads the tables above once.
var glyphNames = sync.OnceValue(func() names {
	n := names{map[string]string{}, map[string]string{}}
	for from, to := range map[string]map[string]string{named: n.glyphs, accents: n.accents} {
		// Split at single spaces: a name may stand for a space.
		for s := from; s != ""; {
			name, rest, _ := strings.Cut(s, " ")
			if name == "" { // never: every value is followed by one space
				s = rest
				continue
			}
			value := " "
			if strings.HasPrefix(rest, "  ") {
				rest = rest[2:]
			} else {
				value, rest, _ = strings.Cut(rest, " ")
			}
			to[name], s = value, rest
		}
	}
	return n
})

// glyphText gives the characters that a glyph's name stands for (Adobe Glyph List
// Specification, section 2).
func glyphText(name string) (string, bool) {
	name, _, _ = strings.Cut(name, ".")
	if len(name) == 1 && (name[0] >= 'A' && name[0] <= 'Z' || name[0] >= 'a' && name[0] <= 'z') {
		return name, true
	}
	table := glyphNames()
	if t, ok := table.glyphs[name]; ok {
		return t, true
	}
	if strings.Contains(name, "_") {
		var b strings.Builder
		for part := range strings.SplitSeq(name, "_") {
			t, ok := glyphText(part)
			if !ok || b.Len() > 32 {
				return "", false
			}
			b.WriteString(t)
		}
		return b.String(), true
	}
	if hex, ok := strings.CutPrefix(name, "uni"); ok && len(hex) >= 4 && len(hex)%4 == 0 && len(hex) <= 32 {
		var b strings.Builder
		for ; hex != ""; hex = hex[4:] {
			v, err := strconv.ParseUint(hex[:4], 16, 32)
			if err != nil {
				return "", false
			}
			b.WriteRune(rune(v))
		}
		return b.String(), true
	}
	if hex, ok := strings.CutPrefix(name, "u"); ok && len(hex) >= 4 && len(hex) <= 6 {
		if v, err := strconv.ParseUint(hex, 16, 32); err == nil && v <= 0x10FFFF {
			return string(rune(v)), true
		}
	}
	return accented(name, table.accents)
}

// accented composes a letter (or dotless i) and an accent.
func accented(name string, accents map[string]string) (string, bool) {
	if name == "" {
		return "", false
	}
	base, accent := name[:1], name[1:]
	mark, ok := accents[accent]
	if !ok || !(base >= "A" && base <= "Z" || base >= "a" && base <= "z") {
		return "", false
	}
	if accent == "commaaccent" && strings.Contains("SsTt", base) {
		mark = "\u0326"
	}
	s := norm.NFC.String(base + mark)
	return s, len([]rune(s)) == 1
}
