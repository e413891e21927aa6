package source

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// everyday is a random set of inputs as people have them, with what a simple reader would say of
// it.
type everyday struct {
	random         *rand.Rand
	rows, rejected int64
	wrong          int // inputs of a kind that is not read
	names          []string
}

// add writes one more input into the folder.
func (d *everyday) add(t *testing.T, folder string) {
	pick := func(list ...string) string { return list[d.random.IntN(len(list))] }
	end, mark := pick("\n", "\n", "\r\n"), pick("", "", "\ufeff")
	format := pick(CSV, JSONL)
	var lines []string
	if format == CSV {
		lines = append(lines, pick(sniffHeader, "To_Account,\"From_Account\",AddSource,Remark\n"))
	}
	rows := d.random.IntN(6) * d.random.IntN(2)
	for i := range rows {
		lines = append(lines, d.row(format, i))
	}
	content := mark + strings.ReplaceAll(strings.Join(lines, pick("", "\n")), "\n", end)
	if d.random.IntN(4) == 0 {
		content = strings.TrimSuffix(content, end)
	}
	if rows > 1 && d.random.IntN(100) == 0 {
		content, d.wrong = d.spoil(content, format, end), d.wrong+1
	}
	name := filepath.Join(folder, fmt.Sprintf("%03d.%s", len(d.names), format))
	switch d.random.IntN(6) {
	case 0:
		name, content = name+".gz", gzipped(t, content)+strings.Repeat("\x00", d.random.IntN(2)*512)
	case 1:
		name, content = name+".zst", zstandard(t, content)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	d.names = append(d.names, name)
}

// row is a row that is sound, most of the time.
func (d *everyday) row(format string, i int) string {
	d.rows++
	id := fmt.Sprintf("u%d-%d", len(d.names), i)
	if d.random.IntN(8) == 0 {
		d.rejected++
		if format == CSV {
			return id + ",too few\n"
		}
		return `{"From_Account":"` + id + `"` + "\n"
	}
	if format == CSV {
		remarks := []string{"", "x", "\"a,b\"", "\"a;b\"", "\"two\nlines\"", "\"\"\"\"", "\"\r\"", "汉"}
		return id + ",v," + src + "," + remarks[d.random.IntN(len(remarks))] + "\n"
	}
	return `{"From_Account":"` + id + `","To_Account":"v","AddSource":"` + src + `"}` + "\n"
}

// spoil makes another kind of a content.
func (d *everyday) spoil(content, format, end string) string {
	switch d.random.IntN(4) {
	case 0:
		return "PK\x03\x04" + content
	case 1:
		return "\xff\xfe" + content
	case 2:
		if format == CSV {
			return "From_Account;To_Account" + end + content
		}
		return "[" + content + "]"
	}
	return strings.Repeat("\x00", 2*len(content)) + content
}

// Whatever there is, all of it is read, rejected or refused, and reading ends.
func TestEverydayInputsAddUp(t *testing.T) {
	const rounds = 25 // 1,200 were tried
	for seed := range rounds {
		d := &everyday{random: rand.New(rand.NewPCG(uint64(seed), 21))}
		folder := t.TempDir()
		n := d.random.IntN(1 + []int{3, 12, 60, 200}[d.random.IntN(4)])
		for range n {
			d.add(t, folder)
		}
		inputs := []string{folder}
		if d.random.IntN(3) == 0 && n > 0 {
			inputs = d.names
		}
		p, err := ReadInputs(t.Context(), Request{
			Inputs: inputs, StateDir: t.TempDir(), Lanes: 1 + d.random.IntN(16), FS: quickFS{},
			Options: Options{AllowEmpty: true},
		})
		switch {
		case d.wrong > 0:
			if unusable := (*InputError)(nil); !errors.As(err, &unusable) {
				t.Errorf("seed %d: %d of %d inputs are of another kind: got %v", seed, d.wrong, n, err)
			}
		case err != nil:
			t.Errorf("seed %d: %v", seed, err)
		case p.Counts.Rows != d.rows || p.Counts.Rejected != d.rejected || len(p.Counts.Inputs) != n:
			t.Errorf("seed %d: %d rows, %d rejected, %d inputs; want %d, %d, %d",
				seed, p.Counts.Rows, p.Counts.Rejected, len(p.Counts.Inputs), d.rows, d.rejected, n)
		}
	}
}
