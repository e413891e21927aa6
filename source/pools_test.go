package source

import (
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"friendmigrate/migrate/disk"
)

// Columns, keys and rejected rows are read in any number.
func TestAnyNumberOfColumns(t *testing.T) {
	for _, n := range []int{0, 1, 2, maxIgnored, maxIgnored + 1, 5000} {
		var names, cells, keys, tags, values strings.Builder
		for i := range n {
			fmt.Fprintf(&names, ",unknown %d", i)
			fmt.Fprintf(&cells, ",%d", i)
			fmt.Fprintf(&keys, `,"unknown %d":%d`, i, i)
			if i < 1000 {
				fmt.Fprintf(&tags, ",Tag_SNS_Custom_%c%c%c", 'A'+i/100, 'A'+i/10%10, 'A'+i%10)
				values.WriteString(",x")
			}
		}
		csv := "From_Account,To_Account,AddSource" + names.String() + tags.String() + "\n" +
			strings.Repeat("a,b,"+src+cells.String()+values.String()+"\n", 3)
		jsonl := strings.Repeat(strings.TrimSuffix(someJSON, "}")+keys.String()+"}\n", 3)
		for name, content := range map[string]string{"a.csv": csv, "a.jsonl": jsonl} {
			r := mustRead(t, Options{}, name, content)
			equal(t, "rows", r.Counts.Rows-r.Counts.Rejected, 3)
			equal(t, "named", len(r.Counts.ColumnsIgnored), min(n, maxIgnored))
			if name == "a.csv" {
				equal(t, "custom fields", len(r.Edges[2].Custom), min(n, 1000))
			}
		}
	}
}

// Standard input goes through two buffers, rejected rows through a list with a share of the memory.
func TestMoreStandardInputThanBuffersHold(t *testing.T) {
	for _, rows := range []int{1, 2, 100_000} { // some 4 MB
		for _, sound := range []bool{true, false} {
			row := "a%d,b," + src + "\n"
			if !sound {
				row = "a%d\n"
			}
			var b strings.Builder
			b.WriteString("From_Account,To_Account,AddSource\n")
			for i := range rows {
				fmt.Fprintf(&b, row, i)
			}
			p, err := ReadInputs(t.Context(), Request{
				Inputs: []string{Standard}, Options: Options{Format: CSV}, Stdin: iotest.HalfReader(strings.NewReader(b.String())),
				StateDir: t.TempDir(), FS: quickFS{disk.OS{}}, Lanes: 1,
			})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "rows", p.Counts.Rows, int64(rows))
			equal(t, "sound", p.Counts.Rejected == 0, sound)
		}
	}
}
