package settings

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Export is everything that an export is told.
type Export struct {
	Service     Service
	Accounts    string
	Destination string // a file, "" is standard output
	Format      string // csv or jsonl
	Pace        Pace
	Memory      int64
	Eyes        Eyes
	Output      Output
	MaxDuration time.Duration // 0: off
}

// ExportFlags describes the flags of export.
func ExportFlags() []Flag {
	g := "what is exported"
	return slices.Concat(
		[]Flag{
			{Name: "accounts", Value: "FILE", Usage: "the accounts whose friends are exported, one id a line, or a CSV with a column From_Account, UserID or To_Account; - is standard input", Group: g, TakesFile: true},
			{Name: "output", Value: "FILE", Default: "standard output", Usage: "where to write; .gz and .zst are compressed. The same command resumes", Group: g, TakesFile: true},
			{Name: "format", Value: "NAME", Default: "by the name of --output, else jsonl", Usage: "csv or jsonl. JSONL holds everything and is written as it comes; CSV is written when all is read", Group: g},
		},
		leaveOut(serviceFlags(), "rehearse"), leaveOut(paceFlags(), "chunk-bytes"), pick(stopFlags(), flagMaximum), pick(jobFlags(), "memory"), eyesFlags(), outputFlags(),
	)
}

// ReadExport reads and checks the settings of export.
func ReadExport(v Values, root fs.FS) (Export, error) {
	r := &reader{Values: v.of(ExportFlags()), real: true}
	s := Export{
		Service: r.service(), Accounts: r.text("accounts", ""), Destination: r.text("output", ""), Pace: r.pace(Shard{}), Eyes: r.eyes(), Output: r.output(),
		MaxDuration: r.maxDuration(), Memory: r.memory(root),
	}
	if s.Accounts == "" {
		r.refuse("accounts", "FILE", "--accounts is missing: a file with one account id a line")
	}
	if s.Destination == "-" {
		s.Destination = ""
	}
	said := formatOf(s.Destination)
	s.Format = r.text("format", said)
	switch {
	case s.Format == "" && s.Destination != "":
		r.refuse("format", "csv", "--output %q does not say whether it is CSV or JSONL: give it a name that ends so, or --format", s.Destination)
	case s.Format == "":
		s.Format = "jsonl"
	case s.Format == "ndjson":
		s.Format = "jsonl"
	case s.Format != "csv" && s.Format != "jsonl":
		r.refuse("format", "csv", "--format is %q: it can be csv or jsonl", s.Format)
	}
	if said != "" && s.Format != said {
		r.refuse("format", "", "--output %q and --format %s contradict each other", s.Destination, s.Format)
	}
	return s, r.err()
}

// formatOf tells a format by a file's name.
func formatOf(name string) string {
	name = strings.ToLower(name)
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
	switch filepath.Ext(name) {
	case ".csv":
		return "csv"
	case ".jsonl", ".ndjson":
		return "jsonl"
	}
	return ""
}

func (r *reader) memory(root fs.FS) int64 {
	if !r.given("memory") {
		return defaultMemory(root)
	}
	return r.size("memory", 0, leastMemory, 1<<50)
}
