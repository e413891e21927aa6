package settings

// Kind says whether a flag takes a value.
type Kind uint8

// The kinds of flag.
const (
	Takes    Kind = iota // --flag value, --flag=value
	Switch               // --flag, --flag=false
	Optional             // --flag, --flag=value; never --flag value
)

// Flag describes a flag of a command.
type Flag struct {
	Name       string // without dashes
	Kind       Kind
	Value      string // what to put there, for the help text
	Default    string // for the help text
	Usage      string
	Group      string
	NoVariable bool // read from the command line alone
	TakesFile  bool
}

// Groups of flags, in the order of the help text.
const (
	groupService = "the service"
	groupInput   = "the rows"
	groupJob     = "the job"
	groupPace    = "pace and patience"
	groupStop    = "stopping early"
	groupEyes    = "being watched"
	groupOutput  = "what is shown"
)

// ImportFlags describes the flags of import.
func ImportFlags() []Flag {
	var all []Flag
	for _, group := range [][]Flag{serviceFlags(), inputFlags(), objectFlags(), jobFlags(), paceFlags(), stopFlags(), eyesFlags(), outputFlags()} {
		all = append(all, group...)
	}
	return all
}

func find(name string) (Flag, bool) {
	for _, f := range ImportFlags() {
		if f.Name == name {
			return f, true
		}
	}
	return Flag{}, false
}

func serviceFlags() []Flag {
	g := groupService
	return []Flag{
		{Name: "sdk-app-id", Value: "N", Usage: "the app", Group: g},
		{Name: "identifier", Value: "ID", Default: "administrator", Usage: "an admin account of the app", Group: g},
		{Name: "secret-key-file", Value: "FILE", Usage: "the app's secret key; or the variable " + KeyVariable + ". Read again when it changes", Group: g, TakesFile: true},
		{Name: "sig-lifetime", Value: "TIME", Default: "24h", Usage: "of a UserSig; it is renewed at 80 % of that", Group: g},
		{Name: "region", Value: "NAME", Usage: "where the app was created: china, singapore, seoul, frankfurt, silicon-valley, jakarta or tokyo", Group: g},
		{Name: "backup-host", Kind: Switch, Usage: "use the region's second host", Group: g},
		{Name: "endpoint", Value: "URL", Usage: "in place of --region", Group: g},
		{Name: "allow-plain-http", Kind: Switch, Usage: "let --endpoint (and --s3-endpoint) be http:// beyond this machine: the signature (and the input) can be read on the way", Group: g},
		{Name: "ca-file", Value: "FILE", Default: "the system's", Usage: "certificate authorities to trust, as PEM", Group: g, TakesFile: true},
		{Name: "rehearse", Kind: Switch, Usage: "run against a simulated service inside this process: no credentials, nothing leaves this machine, " +
			"always fresh, in a folder " + RehearsalFolder + " of its own", Group: g},
	}
}

func inputFlags() []Flag {
	g := groupInput
	return []Flag{
		{Name: "format", Value: "NAME", Default: "by name", Usage: "csv or jsonl, where an input's name does not say", Group: g},
		{Name: "map", Value: "NAME=HEADER,...", Usage: "columns with other headers: From_Account=uid,To_Account=friend", Group: g},
		{Name: "default-add-source", Value: "SOURCE", Usage: "for rows without AddSource: AddSource_Type_ and 1 to 8 letters", Group: g},
		{Name: "integer-tags", Value: "TAG,...", Usage: "custom fields of a CSV that are integers; the others are strings", Group: g},
		{Name: "invalid-field", Value: "WHAT", Default: "reject", Usage: "an optional field over its limit: reject the edge, drop the field, or cut it", Group: g},
		{Name: "mutual", Kind: Switch, Usage: "add the missing reverse of every edge", Group: g},
		{Name: "duplicates", Value: "WHICH", Default: "last", Usage: "of several rows for one pair: last or first wins, or error", Group: g},
		{Name: "max-friends", Value: "N", Default: "3000", Usage: "warn about rosters over it; 0: don't", Group: g},
		{Name: "allow-empty", Kind: Switch, Usage: "accept input without a single row", Group: g},
		{Name: "strict", Kind: Switch, Usage: "send nothing if any row is rejected", Group: g},
	}
}

func jobFlags() []Flag {
	g := groupJob
	return []Flag{
		{Name: "state", Value: "FOLDER", Default: DefaultState, Usage: "of this job: checkpoint, staged input, lists, report", Group: g, TakesFile: true},
		{Name: "fresh", Kind: Switch, Usage: "start over; the old state is moved to a folder old-TIME inside --state, not deleted", Group: g, NoVariable: true},
		{Name: "retry-failed", Kind: Optional, Value: "CODES", Usage: "take failed edges up again, all or those of some codes (--retry-failed=30003,30010), once", Group: g},
		{Name: "only-accounts", Value: "FILE", Usage: "a pilot: only these From_Accounts, one a line or in a CSV; the rest stays pending", Group: g, TakesFile: true},
		{Name: "only-missing", Kind: Switch, Usage: "ask first (friend_check) and import only what is not there", Group: g},
		{Name: "shard", Value: "I/N", Default: "JOB_COMPLETION_INDEX and FRIENDMIGRATE_SHARDS", Usage: "only share I, from 0, of N", Group: g},
		{Name: "memory", Value: "SIZE", Default: "256MiB, or 70 % of the container's limit", Usage: "peak resident memory", Group: g},
	}
}

func paceFlags() []Flag {
	g := groupPace
	return []Flag{
		{Name: "rate", Value: "N", Default: "200", Usage: "calls per second that the service allows, all shards together; from 100000 on: no limit", Group: g},
		{Name: "workers", Value: "N", Default: "1.5 × rate", Usage: "calls in flight at most", Group: g},
		{Name: "timeout", Value: "TIME", Default: "10s", Usage: "of one call (the service gives up at 3s)", Group: g},
		{Name: "max-attempts", Value: "N", Default: "8", Usage: "give an edge up after so many, and 10 minutes since the first of them", Group: g},
		{Name: "outage-timeout", Value: "TIME", Default: "15m", Usage: "how long to hold while nothing gets through; before the first answer at most 30s", Group: g},
		{Name: "chunk-bytes", Value: "SIZE", Default: "1MiB", Usage: "JSON of one call at most", Group: g},
	}
}

func stopFlags() []Flag {
	g := groupStop
	return []Flag{
		{Name: "max-duration", Value: "TIME", Default: "off", Usage: "stop after so long; the same command resumes", Group: g},
		{Name: "max-failures", Value: "N", Default: "off", Usage: "stop when more edges than this fail in this run", Group: g},
		{Name: "max-failure-ratio", Value: "SHARE", Default: "0.5", Usage: "stop when this share of what this run settled has failed, from 1,000 edges of 20 accounts on, " +
			"or when its first 300 calls land nothing; 0: neither", Group: g},
		{Name: "max-extra-calls", Value: "N", Default: "200, or 5 % of the calls if that is more", Usage: "stop when finding refused edges by halving has cost more calls", Group: g},
	}
}

func outputFlags() []Flag {
	g := groupOutput
	return []Flag{
		{Name: "progress", Value: "HOW", Default: "auto", Usage: "bar, lines or none; auto: a bar on a terminal, lines otherwise", Group: g},
		{Name: "log-format", Value: "HOW", Default: "auto", Usage: "console or json; auto: console on a terminal, json otherwise", Group: g},
		{Name: "log-level", Value: "LEVEL", Default: "info", Usage: "debug, info, warn or error; account ids show at debug alone", Group: g},
	}
}
