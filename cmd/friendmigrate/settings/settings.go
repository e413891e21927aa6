package settings

import (
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"friendmigrate/sink"
	"friendmigrate/sink/simulator"
	"friendmigrate/source"
	"friendmigrate/source/objects"
)

// Stop says when a run stops early. MaxDuration 0 and negative MaxFailures are off.
type Stop struct {
	MaxDuration     time.Duration
	MaxFailures     int64
	MaxExtraCalls   int64   // negative: the default, see ExtraCalls
	MaxFailureRatio float64 // 0: off
}

// ExtraCalls returns the limit of calls that halving may cost in a job of a number of chunks:
// MaxExtraCalls or, if that is negative, the default.
func (s Stop) ExtraCalls(chunks int64) int64 {
	if s.MaxExtraCalls >= 0 {
		return s.MaxExtraCalls
	}
	return max(200, chunks/20)
}

// Monitoring says where a run can be monitored, and for how long.
type Monitoring struct {
	Listen string        // HOST:PORT; "": nothing is served
	Linger time.Duration // time of serving after the end, for the last scrape
}

// Output says what is shown.
type Output struct {
	Progress  string // auto, bar, lines, none
	LogFormat string // auto, console, json
	LogLevel  string // debug, info, warn, error
	Warnings  []string
}

// Settings are the settings of all commands. Those without a flag in this command have the default
// of import, or are zero.
type Settings struct {
	command string

	Service
	Rows    source.Options // how rows are read: part of the job's identity
	Strict  bool           // send nothing if any row is rejected
	Objects objects.Config // the store of s3:// URLs
	Job
	Pace
	Stop
	Monitoring
	Output

	JSON   bool  // print results as JSON
	Fields bool  // of verify: compare fields too
	Sample int64 // edges of verify, 0: all; accounts of doctor

	Accounts    string // of export and doctor: a file, or ""; of simulate: a file, or all
	Destination string // of export: a file, "" is standard output
	Format      string // of export: csv or jsonl

	MissingOut string // of doctor
	Probe      bool
	From, To   string // of Probe

	Watch   bool     // of status
	Form    string   // of failures
	Codes   []int    // empty: all
	Account []string // empty: all

	Import         bool // of accounts: import the missing ones
	Yes, AssumeNew bool // of undo

	Simulator simulator.Config // of simulate: limits, readings and faults
}

// Flags returns the flags of a command, in the order of its help text. What their setters set is
// not read.
func Flags(command string) []Flag { return (&Settings{command: command}).flagsOf(declared()) }

// declared returns the table for callers that need only names and texts. It is built once, since a
// call looks up the flags of every command more than once.
var declared = sync.OnceValue(new(Settings).table)

// Read reads and checks the settings of a command. See ReadInto.
func Read(command string, v Values, root fs.FS) (Settings, error) {
	s := Settings{command: command}
	err := ReadInto(&s, v, root)
	return s, err
}

// Check checks combinations of flags, and fills in settings that follow from others.
func (s *Settings) Check(r *Reader) {
	s.Key.Value = sink.NewSecret(r.Env[KeyVariable])
	switch {
	case s.command == "simulate":
		s.checkSimulate(r)
	case r.has("region"):
		s.Service.check(r)
	}
	s.Rows.NoSource, s.Rows.NoRosters = s.command == "update", !r.has("max-friends")
	if r.has("map") {
		r.Add(s.Rows.Check())
	}
	s.Objects.PlainHTTP, s.Objects.CAFile, s.Objects.Patience = s.PlainHTTP, s.CAFile, s.OutageTimeout
	s.Job.check(r)
	s.Pace.check(r, s.Shard, s.Rehearse)
	if s.Linger > 0 && !r.Given("listen") {
		_, origin := r.Look("linger")
		r.Refuse("linger", "", "%s is how long --listen goes on after the end, and --listen is not given", origin)
	}
	if s.command == "export" {
		s.checkExport(r)
	}
	for _, flag := range []string{"sample", "missing-out"} {
		_, told := r.Flags[flag] // a variable may be meant for verify
		if s.command == "doctor" && told && s.Accounts == "" {
			r.Refuse(flag, "", "--%s is about the accounts of --accounts, which is not given", flag)
		}
	}
	if s.JSON && (s.Form == FormCSV || s.Form == FormJSONL) {
		r.Refuse("json", "", "--json is a form of the summary; a list as JSON is --output-format jsonl")
	}
	s.Warnings = r.warnings
}

func (s *Settings) checkSimulate(r *Reader) {
	if !r.Given("sdk-app-id") {
		r.missing("--sdk-app-id is missing: any number will do, as long as the import has the same")
	}
	if !s.Key.Given() {
		r.missing("the secret key is missing: give a file with it by --secret-key-file, or set %s; "+
			"any word will do, as long as the import has the same", KeyVariable)
	}
}

func (s *Settings) checkExport(r *Reader) {
	if s.Accounts == "" {
		r.Refuse("accounts", "FILE", "--accounts is missing: a file with one account id a line")
	}
	if s.Destination == "-" || s.Destination == "/dev/stdout" { // to be written to, not replaced
		s.Destination = ""
	}
	said := source.FormatOf(s.Destination)
	if s.Format == "" {
		s.Format = said
	}
	switch {
	case s.Format == "" && s.Destination != "":
		r.Refuse("format", "csv", "--output %q does not say whether it is CSV or JSONL: give it a name that ends so, "+
			"or --format", s.Destination)
	case s.Format == "", s.Format == "ndjson":
		s.Format = "jsonl"
	case s.Format != "csv" && s.Format != "jsonl":
		r.Refuse("format", "csv", "--format is %q: it can be csv or jsonl", s.Format)
	}
	if said != "" && s.Format != said {
		r.Refuse("format", "", "--output %q and --format %s contradict each other", s.Destination, s.Format)
	}
}

func (s *Settings) setProbe(pair string) error {
	from, to, found := strings.Cut(pair, ",")
	if !found || from == "" || to == "" || from == to {
		return fmt.Errorf("is %q: it is FROM,TO, two different accounts of the app that are there for tests", pair)
	}
	s.Probe, s.From, s.To = true, from, to
	return nil
}

// Forms in which failures can be printed.
const (
	FormSummary = "summary"
	FormCSV     = "csv"
	FormJSONL   = "jsonl"
)

func (s *Settings) setCodes(values []string) error {
	list, err := items(values, strings.TrimSpace)
	if err != nil {
		return err
	}
	given := strings.Join(list, ",")
	codes, on, err := ParseCodes(given)
	if err != nil || !on {
		return fmt.Errorf("is %q: ResultCodes separated by commas are needed, such as 30003,30010", given)
	}
	s.Codes = codes
	return nil
}

// addAccount adds an id. It does not split the value, since an id may contain commas.
func (s *Settings) addAccount(id string) error {
	s.Account = append(s.Account, id)
	if id == "" {
		return errEmpty
	}
	return nil
}

const listenHere = "127.0.0.1:9090" // an example

func (m *Monitoring) setListen(value string) error {
	if value == "" {
		return errEmpty
	}
	_, port, err := net.SplitHostPort(value)
	if err != nil {
		return Instead(listenHere, fmt.Errorf("is %q: it is HOST:PORT, such as %s, or :9090 for every address "+
			"of this machine", value, listenHere))
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return Instead(listenHere, fmt.Errorf("has the port %q: a number up to 65535 is needed", port))
	}
	m.Listen = value
	return nil
}
