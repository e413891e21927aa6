package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"friendmigrate/sink/simulator"
)

// shape draws the jobs of one kind.
type shape struct {
	name  string
	draw  func(*draft)
	apart bool // only for rows that ask for it
}

// refused is a ResultCode that no page of the vendor explains: an edge that gets it fails, and stays failed.
const refused = "items:30520"

// shapes are small, so that a run takes some 100 ms of sending, and differ in what they make the program do.
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
	{name: "slow", draw: func(d *draft) { // so few calls a second that those of several short runs would be too many
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
