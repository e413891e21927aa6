package settings

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/screen"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source"
	"friendmigrate/source/objects"
)

// Folders.
const (
	DefaultState    = "friendmigrate-state"
	RehearsalFolder = "friendmigrate-rehearsal"
)

const (
	serviceRate = 200 // friend calls per second that the service takes of an app
	filesApart  = 32  // open files that are not connections of calls
)

// RehearsalApp is the app of a rehearsal that was given none.
const RehearsalApp = 1400000000

// Import is everything that an import is told.
type Import struct {
	Service Service
	Rows    source.Options // what a row means: part of the job's identity
	Strict  bool           // any rejected row: send nothing
	Objects objects.Config // where s3:// is
	Job     Job
	Pace    Pace
	Stop    Stop
	Eyes    Eyes
	Output  Output
}

// Service says where calls go and who signs them.
type Service struct {
	SDKAppID    uint64
	Identifier  string
	Key         Key
	SigLifetime time.Duration
	Region      string // or
	Endpoint    string // scheme://host[:port]
	BackupHost  bool
	PlainHTTP   bool
	CAFile      string
	Rehearse    bool
}

// Target is the service as the job's identity knows it: a region, whichever of its hosts is used, or an endpoint.
func (s Service) Target() string {
	switch {
	case s.Rehearse:
		return "rehearsal"
	case s.Region != "":
		return "region " + s.Region
	}
	return "endpoint " + s.Endpoint
}

// Job says which job it is and what to do about it.
type Job struct {
	State        string
	StateGiven   bool // not the default
	Fresh        bool
	RetryFailed  bool
	RetryCodes   []int // empty: all
	OnlyAccounts string
	OnlyMissing  bool
	Shard        Shard
	Memory       int64 // bytes
}

// Pace says how fast and how patiently.
type Pace struct {
	Rate          float64 // calls per second of this process
	Workers       int
	Timeout       time.Duration
	MaxAttempts   int
	OutageTimeout time.Duration
	ChunkBytes    int
}

// Stop says when to end before the end. Negative numbers and 0 for MaxDuration are off.
type Stop struct {
	MaxDuration     time.Duration
	MaxFailures     int64
	MaxExtraCalls   int64   // see ExtraCalls
	MaxFailureRatio float64 // 0: off
}

// ExtraCalls is what halving may cost in a job of so many calls, which is the default of
// --max-extra-calls.
func (s Stop) ExtraCalls(calls int64) int64 {
	if s.MaxExtraCalls >= 0 {
		return s.MaxExtraCalls
	}
	return max(200, calls/20)
}

// Output says what is shown.
type Output struct {
	Progress  string // auto, bar, lines, none
	LogFormat string // auto, console, json
	LogLevel  string // debug, info, warn, error
	Warnings  []string
}

// ReadImport reads and checks the settings of import. root is the root of the file system (nil: none), for the
// memory limit of the container. The error says everything that is wrong.
func ReadImport(v Values, root fs.FS) (Import, error) {
	r := &reader{Values: v}
	s := Import{Rows: r.rows(), Strict: r.turnedOn("strict"), Eyes: r.eyes()}
	s.Service = r.service()
	s.Job, s.Objects = r.job(root), r.objects()
	s.Pace = r.pace(s.Job.Shard)
	s.Output = r.output()
	s.Stop = Stop{
		MaxDuration:     r.duration("max-duration", 0, time.Second, 10*365*24*time.Hour),
		MaxFailures:     r.whole("max-failures", -1, 0, 1<<62),
		MaxExtraCalls:   r.whole("max-extra-calls", -1, 0, 1<<62),
		MaxFailureRatio: r.number("max-failure-ratio", 0.5, 0, 1),
	}
	return s, r.err()
}

func (r *reader) service() Service {
	s := Service{
		Identifier:  r.text("identifier", "administrator"),
		Key:         r.key(),
		SigLifetime: r.duration("sig-lifetime", 24*time.Hour, time.Minute, 50*365*24*time.Hour),
		Region:      r.text("region", ""),
		Endpoint:    r.text("endpoint", ""),
		BackupHost:  r.turnedOn("backup-host"),
		PlainHTTP:   r.turnedOn("allow-plain-http"),
		CAFile:      r.text("ca-file", ""),
		Rehearse:    r.turnedOn("rehearse"),
	}
	if r.given("sdk-app-id") {
		s.SDKAppID = uint64(r.whole("sdk-app-id", 0, 1, math.MaxUint32))
	}
	if s.Rehearse { // a rehearsal takes the command of the real run, with or without its credentials
		s.Region, s.Endpoint, s.Key = "", "", Key{}
		if s.SDKAppID == 0 {
			s.SDKAppID = RehearsalApp
		}
		return s
	}
	if s.SDKAppID == 0 && !r.given("sdk-app-id") {
		if r.real {
			r.missing("--sdk-app-id is missing")
		} else {
			r.missing("--sdk-app-id is missing (with --rehearse none is needed)")
		}
	}
	if !s.Key.Given() {
		r.missing("the secret key is missing: give the file with it by --secret-key-file, or set %s", KeyVariable)
	}
	r.target(&s)
	if err := CheckProxies(r.Env); err != nil {
		r.problems = append(r.problems, err)
	}
	return s
}

func (r *reader) target(s *Service) {
	regions := sink.Regions()
	switch {
	case s.Region != "" && s.Endpoint != "":
		// A flag wins over a variable also where the other of the two is the variable.
		_, fromRegion, _ := r.last("region")
		_, fromEndpoint, _ := r.last("endpoint")
		switch {
		case fromRegion == "--region" && fromEndpoint != "--endpoint":
			s.Endpoint = ""
		case fromEndpoint == "--endpoint" && fromRegion != "--region":
			s.Region = ""
		default:
			r.refuse("region", "", "%s and %s are both given: one of them says where the app is", fromRegion, fromEndpoint)
		}
	case s.Region == "" && s.Endpoint == "":
		r.missing("--region is missing: %s; or --endpoint URL", strings.Join(regions, ", "))
	}
	if s.Region != "" && !slices.Contains(regions, s.Region) {
		meant, nearest := "", migrate.Nearest(s.Region, max(2, len(s.Region)/2), regions...)
		if nearest != "" {
			meant = fmt.Sprintf(", did you mean %s?", nearest)
		}
		r.refuse("region", cmp.Or(nearest, "REGION"), "--region is %q%s It can be %s; for another one give its host with --endpoint", s.Region, cmp.Or(meant, "."), strings.Join(regions, ", "))
	}
	if s.BackupHost && s.Region == "" {
		r.refuse("backup-host", "", "--backup-host is the second host of a --region, which is not given")
	}
	if s.Endpoint != "" {
		checked, err := CheckEndpoint(s.Endpoint, s.PlainHTTP)
		if err != nil {
			r.refuse("endpoint", "https://HOST", "%w", err)
		}
		s.Endpoint = checked
	}
}

func (r *reader) rows() source.Options {
	rows := source.Options{
		Format:           r.text("format", ""),
		DefaultAddSource: r.text("default-add-source", ""),
		IntegerTags:      r.list("integer-tags"),
		InvalidField:     r.text("invalid-field", "reject"),
		Mutual:           r.turnedOn("mutual"),
		AllowEmpty:       r.turnedOn("allow-empty"),
		Duplicates:       r.text("duplicates", "last"),
		MaxFriends:       int(r.whole("max-friends", 3000, 0, 1<<31-1)),
	}
	for _, pair := range r.list("map") {
		name, header, found := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		if !found || name == "" || header == "" {
			r.refuse("map", word("map"), "--map has %q: it is NAME=HEADER, the API's name and the header in the input, such as From_Account=uid", pair)
			continue
		}
		if other, twice := rows.Map[name]; twice && other != header {
			r.refuse("map", word("map"), "--map names two headers for %s: %q and %q", name, other, header)
		}
		if rows.Map == nil {
			rows.Map = map[string]string{}
		}
		rows.Map[name] = header
	}
	if err := rows.Check(); err != nil {
		r.problems = append(r.problems, err)
	}
	return rows
}

func (r *reader) job(root fs.FS) Job {
	j := Job{
		State:        r.text("state", DefaultState),
		StateGiven:   r.given("state"),
		Fresh:        r.turnedOn("fresh"),
		OnlyAccounts: r.text("only-accounts", ""),
		OnlyMissing:  r.turnedOn("only-missing"),
		Shard:        r.shard(),
	}
	j.Memory = r.memory(root)
	if value, origin, ok := r.last("retry-failed"); ok {
		codes, on, err := ParseCodes(value)
		if err != nil {
			r.refuse("retry-failed", "", "%s is %q: %w", origin, value, err)
		}
		if meant := MeantCode(codes); meant != "" {
			r.warn("%s is %q: %s", origin, value, meant)
		}
		j.RetryFailed, j.RetryCodes = on, codes
	}
	return j
}

// ParseCodes reads the value of --retry-failed: ResultCodes separated by commas, or true for all (no codes), or false.
func ParseCodes(value string) (codes []int, on bool, err error) {
	switch value {
	case "true":
		return nil, true, nil
	case "false":
		return nil, false, nil
	}
	for item := range strings.SplitSeq(value, ",") {
		code, err := strconv.Atoi(strings.TrimSpace(item))
		if err != nil || code <= 0 {
			return nil, false, errors.New("ResultCodes separated by commas are needed, such as 30003,30010")
		}
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return slices.Compact(codes), true, nil
}

// MeantCode is empty unless one of the codes is in no table and one that is lies close to it.
func MeantCode(codes []int) string {
	var known []string
	for _, c := range sink.Codes() {
		known = append(known, strconv.Itoa(c.Code))
	}
	for _, code := range codes {
		if _, found := sink.LookupCode(code); found {
			continue
		}
		if nearest := migrate.Nearest(strconv.Itoa(code), 2, known...); nearest != "" {
			return fmt.Sprintf("%d is no code of the service; did you mean %s?", code, nearest)
		}
	}
	return ""
}

// LooksLikeCodes reports whether an argument was meant as the value of --retry-failed.
func LooksLikeCodes(argument string) bool {
	codes, on, err := ParseCodes(argument)
	return err == nil && on && len(codes) > 0 && codes[0] >= 100
}

func (r *reader) pace(shard Shard) Pace {
	rate := r.number("rate", serviceRate, 0.1, 1e9)
	if rate > serviceRate && !r.turnedOn("rehearse") {
		r.warn("--rate is %g: the service takes %d friend calls per second of an app and refuses the rest, unless that limit was raised for this app", rate, serviceRate)
	}
	if shard.Count > 1 && rate < sink.Unpaced {
		share := float64(int64(rate) / int64(shard.Count)) // floor, so that the shards together never exceed the rate
		if share < 1 {
			r.refuse("rate", strconv.Itoa(shard.Count), "--rate %g is less than one call per second for each of %d shards", rate, shard.Count)
		}
		rate = share
	}
	return Pace{
		Rate:          rate,
		Workers:       r.workers(rate),
		Timeout:       r.duration("timeout", 10*time.Second, 10*time.Millisecond, time.Hour),
		MaxAttempts:   int(r.whole("max-attempts", 8, 1, 1_000_000)),
		OutageTimeout: r.duration("outage-timeout", 15*time.Minute, time.Second, 365*24*time.Hour),
		ChunkBytes:    int(r.size("chunk-bytes", 1<<20, 1<<10, 64<<20)),
	}
}

// workers is how many calls may be in flight. Each has a connection, and a rehearsal has its other end too.
func (r *reader) workers(rate float64) int {
	const mostWorkers = 10_000
	asked := int(r.whole("workers", max(1, min(int64(1.5*rate+0.5), 1000)), 1, mostWorkers))
	files, err := disk.OpenFiles()
	if err != nil {
		return asked
	}
	connections := max(1, files-filesApart)
	if r.turnedOn("rehearse") {
		connections = max(1, connections/2)
	}
	if asked > connections {
		r.warn("this machine lets a process open %d files (ulimit -n): of those %d are kept for files, so %s in flight at most, not %d",
			files, filesApart, screen.Some(int64(connections), "call"), asked)
	}
	return min(asked, connections)
}

// output is read last: it takes along what the others warned of.
func (r *reader) output() Output {
	return Output{
		Progress:  r.choice("progress", "auto", "bar", "lines", "none"),
		LogFormat: r.choice("log-format", "auto", "console", "json"),
		LogLevel:  r.choice("log-level", "info", "debug", "warn", "error"),
		Warnings:  r.warnings,
	}
}
