package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// The symbols of cmd/absah/short.
const (
	entrySymbol   = "main.entry.abi0"
	targetsSymbol = "main.targets"
)

// Sizes and places of the 64-bit ELF header.
const (
	entryAt      = 24
	programsAt   = 32
	sectionsAt   = 40
	countAt      = 56
	headerSize   = 64
	programEntry = 56
	sectionEntry = 64
)

// pageSize is the largest of the pages of amd64's relatives; hugePage is what must
// not be congruent: where a file's place and its address in memory are, the kernel
// may map 2 MiB for one octet that is looked at.
const (
	pageSize = 64 << 10
	hugePage = 2 << 20
)

var errKind = errors.New("not a static ELF executable for amd64 with fixed addresses")

// program is one of the two.
type program struct {
	file  *elf.File
	bytes []byte
	loads []*elf.Prog // PT_LOAD, as they are in memory
}

func read(b []byte) (*program, error) {
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	p := &program{file: f, bytes: b}
	if f.Class != elf.ELFCLASS64 || f.Data != elf.ELFDATA2LSB || f.Machine != elf.EM_X86_64 || f.Type != elf.ET_EXEC {
		return nil, errKind
	}
	for _, s := range f.Progs {
		switch s.Type {
		case elf.PT_INTERP, elf.PT_DYNAMIC, elf.PT_TLS:
			return nil, errKind
		case elf.PT_LOAD:
			p.loads = append(p.loads, s)
		}
	}
	if len(p.loads) == 0 {
		return nil, errKind
	}
	return p, nil
}

// end is the first address behind the program.
func (p *program) end() uint64 {
	var end uint64
	for _, s := range p.loads {
		end = max(end, s.Vaddr+s.Memsz)
	}
	return end
}

// symbol gives the address of a symbol.
func (p *program) symbol(name string) (uint64, error) {
	all, err := p.file.Symbols()
	if err != nil {
		return 0, fmt.Errorf("read the symbols: %w", err)
	}
	i := slices.IndexFunc(all, func(s elf.Symbol) bool { return s.Name == name })
	if i < 0 {
		return 0, fmt.Errorf("there is no symbol %s", name)
	}
	return all[i].Value, nil
}

// place is where in the file the octet at an address comes from.
func (p *program) place(address uint64) (int, error) {
	for _, s := range p.loads {
		if address >= s.Vaddr && address < s.Vaddr+s.Filesz {
			return int(s.Off + address - s.Vaddr), nil
		}
	}
	return 0, fmt.Errorf("nothing of the file is at the address %#x", address)
}

// join appends what short has in memory to the file whole, lets the headers of whole
// load it too, and makes short's entry the beginning of both. Everything else of
// whole stays where it is: sections, build information, notes.
func join(wholeFile, shortFile []byte) ([]byte, error) {
	whole, err := read(wholeFile)
	if err != nil {
		return nil, fmt.Errorf("the whole program: %w", err)
	}
	short, err := read(shortFile)
	if err != nil {
		return nil, fmt.Errorf("the short program: %w", err)
	}
	entry, err := short.symbol(entrySymbol)
	if err != nil {
		return nil, fmt.Errorf("the short program: %w", err)
	}
	targets, err := short.symbol(targetsSymbol)
	if err != nil {
		return nil, fmt.Errorf("the short program: %w", err)
	}
	at, err := short.place(targets)
	if err != nil {
		return nil, fmt.Errorf("the short program: %w", err)
	}
	// Segments are in the order of their addresses.
	if short.loads[0].Vaddr < whole.end() {
		return nil, fmt.Errorf("the short program begins at %#x, within the whole one: link it behind %#x", short.loads[0].Vaddr, whole.end())
	}
	base := (len(wholeFile) + pageSize - 1) / pageSize * pageSize
	if (uint64(base)+short.loads[0].Off-short.loads[0].Vaddr)%hugePage == 0 {
		base += pageSize
	}
	used := 0
	for _, s := range short.loads {
		used = max(used, int(s.Off+s.Filesz))
	}
	// Go's linker puts the section headers where the program headers have to grow.
	sections := make([]byte, len(whole.file.Sections)*sectionEntry)
	from := binary.LittleEndian.Uint64(wholeFile[sectionsAt:])
	if copy(sections, wholeFile[from:]) < len(sections) {
		return nil, errors.New("the whole program: its section headers are cut off")
	}
	out := make([]byte, base+(used+7)/8*8, base+used+7+len(sections))
	copy(out, wholeFile)
	copy(out[base:], shortFile[:used])
	put := binary.LittleEndian.PutUint64
	put(out[sectionsAt:], uint64(len(out)))
	out = append(out, sections...)
	put(out[base+at:], short.file.Entry)
	put(out[base+at+8:], whole.file.Entry)
	if err := header(out, whole, short, uint64(base)); err != nil {
		return nil, err
	}
	put(out[entryAt:], entry)
	return out, nil
}

// header enters the segments of short into the program headers of out, which begins
// with whole.
func header(out []byte, whole, short *program, base uint64) error {
	count := len(whole.file.Progs) + len(short.loads)
	end := uint64(headerSize + count*programEntry)
	for _, s := range whole.file.Sections {
		if s.Type != elf.SHT_NULL && s.Type != elf.SHT_NOBITS && s.Offset < end {
			return fmt.Errorf("the program headers would reach into the section %s", s.Name)
		}
	}
	if place := binary.LittleEndian.Uint64(out[programsAt:]); place != headerSize {
		return fmt.Errorf("the program headers are at %d", place)
	}
	at := headerSize
	for _, s := range whole.file.Progs {
		if s.Type == elf.PT_PHDR {
			binary.LittleEndian.PutUint64(out[at+32:], uint64(count*programEntry))
			binary.LittleEndian.PutUint64(out[at+40:], uint64(count*programEntry))
		}
		at += programEntry
	}
	for _, s := range short.loads {
		h := elf.Prog64{
			Type: uint32(elf.PT_LOAD), Flags: uint32(s.Flags), Off: base + s.Off, Vaddr: s.Vaddr, Paddr: s.Vaddr,
			Filesz: s.Filesz, Memsz: s.Memsz, Align: s.Align,
		}
		if _, err := binary.Encode(out[at:], binary.LittleEndian, h); err != nil {
			return fmt.Errorf("write a program header: %w", err)
		}
		at += programEntry
	}
	binary.LittleEndian.PutUint16(out[countAt:], uint16(count))
	return nil
}
