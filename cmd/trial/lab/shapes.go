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
	"time"

	"github.com/klauspost/compress/zstd"

	"friendmigrate/sink/simulator"
)

type shape struct {
	name  string
	draw  func(*draft)
	apart bool // only for rows that ask for it
}

// refused is a ResultCode that no page of the vendor explains: an edge that gets it stays failed.
const refused = "items:30520"

// shapes are the kinds of jobs. They differ in what they make the program do. Most are small: a run
// sends for some 100 ms.
var shapes = []shape{
	{name: "plain", draw: func(d *draft) {
		d.rosters(160, 1, 6)
		d.all("edges.csv")
	}},
	{name: "failing", draw: func(d *draft) {
		d.rosters(140, 1, 8)
		d.spoil(9)
		d.all("edges.csv")
		d.job.Service.Shares = map[string]float64{refused: 0.06, "items:30008": 0.01, "items:30006": 0.005}
		d.job.Service.MissingShare = 0.04
		d.job.Service.Order = simulator.OrderShuffled
	}},
	{name: "mutual", draw: func(d *draft) {
		d.rosters(90, 1, 3)
		d.dress(0.5, true)
		d.all("edges.jsonl")
		d.reverse()
		d.job.Flags = []string{"--mutual"}
		d.job.Workers = 8
		d.job.Service.Shares = map[string]float64{refused: 0.05}
	}},
	{name: "mixed", draw: func(d *draft) {
		d.rosters(150, 1, 6)
		d.dress(0.4, false)
		d.repeat(60)
		d.spoil(7)
		d.rows[3].Remark, d.rows[5].Remark = strings.Repeat("long ", 30), strings.Repeat("é", 60)
		d.shuffle()
		half := len(d.rows) / 2
		d.write("edges.csv", d.rows[:half])
		d.write("more.jsonl.gz", d.rows[half:])
		d.job.Flags = []string{"--invalid-field", "cut", "--log-level", "debug"}
		d.job.Service.Shares = map[string]float64{refused: 0.03}
	}},
	{name: "large", draw: func(d *draft) {
		d.rosters(40, 1, 3)
		for from := range 5 {
			d.roster(1000+from, 2200)
		}
		d.all("edges.csv")
		d.job.Workers = 4
		d.job.Service.Latency = 8 * time.Millisecond
		d.job.Service.Shares = map[string]float64{refused: 0.004}
	}},
	{name: "retry", draw: func(d *draft) {
		d.rosters(130, 1, 6)
		d.all("edges.csv")
		d.job.Service.Shares = map[string]float64{refused: 0.1, "items:30521": 0.05}
		d.job.Service.MissingShare = 0.05
		d.job.Acts = []Act{{}, {Flags: []string{"--retry-failed"}, Change: func(c *simulator.Config) {
			c.Shares, c.MissingShare = map[string]float64{"items:30521": 0.05}, 0
		}}}
	}},
	{name: "paced", draw: func(d *draft) {
		d.rosters(170, 1, 4)
		d.all("edges.csv")
		d.job.Rate, d.job.Workers = 80, 20
	}},
	// The rate is so low that several short runs together could exceed it.
	{name: "slow", draw: func(d *draft) {
		d.rosters(8, 1, 2)
		d.all("edges.csv")
		d.job.Rate, d.job.Workers = 2, 3
	}},
	{name: "unanswered", draw: func(d *draft) {
		d.rosters(140, 1, 6)
		d.dress(0.3, false)
		d.all("edges.csv")
		s := &d.job.Service
		s.Shares = map[string]float64{
			"reset+applied": 0.03, "close+applied": 0.02, "cut+applied": 0.02, "reset": 0.02,
			"body:empty+applied": 0.02, "body:no-items+applied": 0.02,
			"body:missing": 0.04, "body:item-no-code": 0.02, "body:conflicting": 0.02,
		}
		s.Reimport = simulator.ReimportAlready
	}},
	{name: "poison", draw: func(d *draft) {
		d.rosters(100, 4, 12)
		d.all("edges.csv")
		d.job.Flags = []string{"--chunk-bytes", "2KiB"}
		d.job.Service.PoisonShare = 0.004
	}},
	{name: "pilot", draw: func(d *draft) {
		d.rosters(150, 1, 5)
		d.spoil(5)
		d.all("edges.csv")
		var some strings.Builder
		for n := range 60 {
			fmt.Fprintln(&some, account(n))
		}
		Check(os.WriteFile(filepath.Join(d.job.Dir, "pilot.txt"), []byte(some.String()), 0o600))
		d.job.Acts = []Act{{Flags: []string{"--only-accounts", "pilot.txt"}, Part: true}, {}}
	}},
	{name: "present", draw: func(d *draft) {
		d.rosters(130, 1, 6)
		d.all("edges.jsonl")
		d.job.Flags = []string{"--only-missing"}
		for i, pair := range d.job.SortedPairs() {
			if i%3 == 0 {
				d.job.Before = append(d.job.Before, pair)
			}
		}
	}},
	{name: "staging", draw: func(d *draft) {
		d.rosters(70, 300, 700)
		d.dress(0.2, true)
		d.repeat(300)
		d.spoil(50)
		d.all("edges.jsonl.gz")
		d.job.Flags = []string{"--memory", "96MiB"}
	}},
	{name: "schedule", apart: true, draw: func(d *draft) { // 1 to 200 inputs
		d.rosters(30+d.rand.IntN(150), 1, 1+d.rand.IntN(12))
		d.dress(0.1+0.8*d.rand.Float64(), true)
		d.shuffle()
		inputs := min(len(d.rows), 1+d.rand.IntN(1+d.rand.IntN(200)))
		for i := range inputs {
			name := []string{"%03d.jsonl", "%03d.csv", "%03d.jsonl.gz", "%03d.csv.gz"}[d.rand.IntN(4)]
			d.write(fmt.Sprintf(name, i), d.rows[i*len(d.rows)/inputs:(i+1)*len(d.rows)/inputs])
		}
		d.job.Env = []string{fmt.Sprintf("GOMAXPROCS=%d", 1+d.rand.IntN(4))}
		d.job.Workers = 1 + d.rand.IntN(20)
		d.job.Flags = []string{"--outage-timeout", "1s", "--max-extra-calls", fmt.Sprint(10 + d.rand.IntN(300))}
		if d.rand.IntN(3) == 0 {
			d.job.Flags = append(d.job.Flags, "--only-missing")
		}
		d.job.Service.Reimport = simulator.Reimport(d.rand.IntN(3))
		d.job.Service.Latency = time.Duration(2+d.rand.IntN(40)) * time.Millisecond
	}},
	{name: "crowd", apart: true, draw: func(d *draft) { // more calls than the service takes in two seconds
		d.rosters(450, 1, 3)
		d.all("edges.csv")
		d.job.Rate, d.job.Workers = 200, 40
	}},
}

type draft struct {
	job  *Job
	rand *rand.Rand
	rows []row
}

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

// addSources are of one length, so that one that is taken for another does not show by its length.
var addSources = []string{"AddSource_Type_Import", "AddSource_Type_Server"}

func account(n int) string { return fmt.Sprintf("acc%05d", n) }

// roster adds a row for each friend of account from.
func (d *draft) roster(from, friends int) {
	first := d.rand.IntN(50000)
	for i := range friends {
		to := 10000 + (first+i*7)%60000
		d.rows = append(d.rows, row{From: account(from), To: account(to), Source: addSources[d.rand.IntN(2)]})
	}
}

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
		r := row{From: account(i), To: account(90000 + i), Source: addSources[0], bad: true}
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

// shuffle shuffles the rows, so that every account is spread over the input.
func (d *draft) shuffle() {
	d.rand.Shuffle(len(d.rows), func(i, k int) { d.rows[i], d.rows[k] = d.rows[k], d.rows[i] })
}

// write writes rows as one input, in the format of its name, and counts them.
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

// Pack compresses a text as the end of its file's name says. A .gz has two members and may be
// padded with zeros, as on a tape.
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

func (d *draft) all(name string) {
	d.shuffle()
	d.write(name, d.rows)
}

// reverse adds the reverses of all edges to the expected ones, as --mutual does.
func (d *draft) reverse() {
	for pair := range d.job.Pairs {
		d.job.Pairs[Pair{pair.To, pair.From}] = struct{}{}
	}
}
