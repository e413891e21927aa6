package lab

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// draft is a job while it is drawn.
type draft struct {
	job  *Job
	rand *rand.Rand
	rows []row
}

// row is one row of an input.
type row struct {
	From    string       `json:"From_Account"`
	To      string       `json:"To_Account"`
	Source  string       `json:"AddSource,omitempty"`
	Remark  string       `json:"Remark,omitempty"`
	Groups  []string     `json:"GroupName,omitempty"`
	AddTime int64        `json:"AddTime,omitempty"`
	Custom  []customItem `json:"CustomItem,omitempty"`
	bad     bool         // has to be rejected
}

type customItem struct {
	Tag   string
	Value any
}

const addSource = "AddSource_Type_Import"

// account names account n.
func account(n int) string { return fmt.Sprintf("acc%05d", n) }

// roster adds a row for each of so many friends of account from.
func (d *draft) roster(from, friends int) {
	first := d.rand.IntN(50000)
	for i := range friends {
		to := 10000 + (first+i*7)%60000
		d.rows = append(d.rows, row{From: account(from), To: account(to), Source: addSource})
	}
}

// rosters adds accounts with least to most friends each.
func (d *draft) rosters(accounts, least, most int) {
	for from := range accounts {
		d.roster(from, least+d.rand.IntN(most-least+1))
	}
}

// dress fills optional fields of a share of the rows.
func (d *draft) dress(share float64, custom bool) {
	for i := range d.rows {
		r := &d.rows[i]
		if d.rand.Float64() >= share {
			continue
		}
		r.Remark = fmt.Sprintf("remark %d, \"quoted\"", d.rand.IntN(1000))
		r.Groups = []string{"Family", "Work"}[:1+d.rand.IntN(2)]
		r.AddTime = int64(1600000000 + d.rand.IntN(1000000))
		if custom {
			r.Custom = []customItem{{"Tag_SNS_Custom_Level", d.rand.IntN(100)}, {"Tag_SNS_Custom_Note", "x"}}
		}
	}
}

// spoil adds rows that have to be rejected.
func (d *draft) spoil(n int) {
	for i := range n {
		r := row{From: account(i), To: account(90000 + i), Source: addSource, bad: true}
		switch i % 4 {
		case 0:
			r.To = ""
		case 1:
			r.To = r.From
		case 2:
			r.Source = "Import"
		case 3:
			r.To = strings.Repeat("x", 33)
		}
		d.rows = append(d.rows, r)
	}
}

// repeat adds second rows of pairs, with another remark.
func (d *draft) repeat(n int) {
	for i := range n {
		r := d.rows[d.rand.IntN(len(d.rows))]
		if !r.bad {
			r.Remark = fmt.Sprintf("again %d", i)
			d.rows = append(d.rows, r)
		}
	}
}

// shuffle mixes the rows, so that every account is spread over the input.
func (d *draft) shuffle() {
	d.rand.Shuffle(len(d.rows), func(i, k int) { d.rows[i], d.rows[k] = d.rows[k], d.rows[i] })
}

// write writes rows as one input, in the format that its name says, and counts them.
func (d *draft) write(name string, rows []row) {
	var b bytes.Buffer
	table, lines := csv.NewWriter(&b), json.NewEncoder(&b)
	asLines := strings.Contains(name, ".jsonl")
	if !asLines {
		Check(table.Write([]string{"From_Account", "To_Account", "AddSource", "Remark", "GroupName", "AddTime"}))
	}
	for i := range rows {
		r := &rows[i]
		d.count(r)
		if asLines {
			Check(lines.Encode(r))
			continue
		}
		at := ""
		if r.AddTime != 0 {
			at = fmt.Sprint(r.AddTime)
		}
		Check(table.Write([]string{r.From, r.To, r.Source, r.Remark, strings.Join(r.Groups, ";"), at}))
	}
	table.Flush()
	Check(os.WriteFile(filepath.Join(d.job.Dir, name), Pack(name, b.Bytes()), 0o600))
	d.job.Inputs = append(d.job.Inputs, name)
}

// Pack packs a text the way its file's name ends: a .gz has two members, of which the second may be
// padded, as tape leaves it.
func Pack(name string, text []byte) []byte {
	var b bytes.Buffer
	switch filepath.Ext(name) {
	case ".gz":
		half := len(text) / 2
		for _, member := range [][]byte{text[:half], text[half:]} {
			w := gzip.NewWriter(&b)
			Must(w.Write(member))
			Check(w.Close())
		}
		if len(text)%3 == 0 {
			b.Write(make([]byte, 512))
		}
	case ".zst":
		w := Must(zstd.NewWriter(&b))
		Must(w.Write(text))
		Check(w.Close())
	default:
		return text
	}
	return b.Bytes()
}

func (d *draft) count(r *row) {
	j := d.job
	j.Rows++
	pair := Pair{r.From, r.To}
	_, known := j.Pairs[pair]
	switch {
	case r.bad:
		j.Rejected++
	case known:
		j.Duplicates++
	default:
		j.Pairs[pair] = struct{}{}
	}
}

// all writes all rows as one input.
func (d *draft) all(name string) {
	d.shuffle()
	d.write(name, d.rows)
}

// reverse adds the reverses to what is expected, as --mutual does.
func (d *draft) reverse() {
	for pair := range d.job.Pairs {
		d.job.Pairs[Pair{pair.To, pair.From}] = struct{}{}
	}
}
