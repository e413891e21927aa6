package settings

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/source/objects"
)

// Commands that several flags belong to.
const (
	reading    = "import accounts verify update"             // read an INPUT
	running    = "import accounts verify update undo export" // make many calls
	calling    = running + " doctor"
	sending    = "import update undo"
	staying    = "import accounts verify update undo" // have a state folder
	inspecting = "status failures explain report clean"
)

// MostDrawn is the largest --sample. A larger one would add no information, and takes memory for
// each member.
const MostDrawn = 200_000

// table returns the flags of the commands, in the order of the help text. Those of manifest that
// import does not have are in package manifest. The limits, readings and faults of simulate are in
// package simulator, from where flagsOf adds them.
func (s *Settings) table() []Flag {
	return slices.Concat(s.own(), s.service(), s.rows(), s.job(), s.pace(), s.watched())
}

// own returns the flags that only one command has, or few.
func (s *Settings) own() []Flag {
	return group("what it does", "",
		Plain("import", On(&s.Import), "import those that are missing, and no others").of("accounts"),
		Plain("yes", On(&s.Yes), "delete; without it nothing is sent").of("undo").withoutVariable(),
		Plain("assume-new", On(&s.AssumeNew), "take every imported edge for one that was not there before").
			of("undo").withoutVariable(),
		Plain("fields", On(&s.Fields), "compare fields too, by friend_get: "+
			"Remark, GroupName, AddSource, AddWording, AddTime and custom fields that the input has").of("verify"),
		Plain("sample N", Whole(&s.Sample, 1, MostDrawn),
			"ask about N edges drawn at random, and say what that is worth").of("verify"),

		Plain("accounts FILE", File(&s.Accounts),
			"also ask whether these accounts exist, one id a line (account_check, 100 ids a call)").of("doctor"),
		WithDefault("sample N", "10000", Whole(&s.Sample, 1, MostDrawn),
			"ask about at most N of them, drawn at random, and say what that is worth").of("doctor"),
		WithDefault("missing-out FILE", "missing-accounts.txt", File(&s.MissingOut),
			"where the accounts are listed that do not exist").of("doctor"),
		Plain("probe FROM,TO", Last(s.setProbe), "find out by two test accounts what this app does "+
			"where the vendor is silent; it writes to FROM's friend list and puts it back").of("doctor"),

		Plain("accounts FILE", File(&s.Accounts), "the accounts whose friends are exported, one id a line, "+
			"or a CSV with a column From_Account, UserID or To_Account; - is standard input").of("export"),
		Described("output FILE", "standard output", File(&s.Destination),
			"where to write; .gz and .zst are compressed. The same command resumes").of("export"),
		Described("format NAME", "by the name of --output, else jsonl", Text(&s.Format), "csv or jsonl. JSONL holds "+
			"everything and is written as it comes; CSV is written when all is read").
			of("export").among("csv", "jsonl"),

		Plain("code CODES", s.setCodes, "only those with these ResultCodes, such as 30003,30010").
			of("failures").among(codes()...),
		Plain("account ID", Each(s.addAccount), "only those from or to this account; may be given again").
			of("failures"),
		Choose("output-format FORM", &s.Form, "summary: a count, an example and advice for each code; "+
			"csv or jsonl: the list itself, which import accepts", FormSummary, FormCSV, FormJSONL).of("failures"),
		Plain("watch", On(&s.Watch), "show it again each second until the job has ended; "+
			"where the output is no terminal, a line (with --json an object) each time").of("status"),

		WithDefault("listen HOST:PORT", "127.0.0.1:0", Text(&s.Listen), "where to serve; port 0 takes a free one").
			of("simulate"),
		WithDefault("accounts all|FILE", "all", File(&s.Accounts),
			"the accounts that exist, one a line; the rest is answered 30003").of("simulate"),
	)
}

func (s *Settings) service() []Flag {
	return group(groupService, calling,
		Plain("sdk-app-id N", Whole(&s.SDKAppID, 1, math.MaxUint32), "the app").of(calling+" simulate"),
		WithDefault("identifier ID", "administrator", Text(&s.Identifier), "an admin account of the app").
			of(calling+" simulate"),
		Plain("secret-key-file FILE", File(&s.Key.File), "the app's secret key; or the variable "+KeyVariable+
			". Read again when it changes").of(calling+" simulate"),
		WithDefault("sig-lifetime TIME", "24h", Duration(&s.SigLifetime, time.Minute, 50*year),
			"of a UserSig; it is renewed at 80 % of that"),
		Plain("region NAME", Text(&s.Region),
			"where the app was created: china, singapore, seoul, frankfurt, silicon-valley, jakarta or tokyo").
			among(sink.Regions()...),
		Plain("backup-host", On(&s.BackupHost), "use the region's second host"),
		Plain("endpoint URL", Text(&s.Endpoint), "in place of --region"),
		Plain("allow-plain-http", On(&s.PlainHTTP),
			"let --endpoint (and --s3-endpoint) be http:// beyond this "+
				"machine: the signature (and the input) can be read on the way"),
		Described("ca-file FILE", "the system's", File(&s.CAFile), "certificate authorities to trust, as PEM"),
		Plain("rehearse", On(&s.Rehearse),
			"run against a simulated service inside this process: no credentials, "+
				"nothing leaves this machine, always fresh, in a folder "+RehearsalFolder+" of its own, as fast as "+
				"possible").of("import"),
		Plain("rehearse-real-time", On(&s.RealTime),
			"with --rehearse: at the service's limit and with its latency").of("import"),
	)
}

// rows returns the flags about the meaning of rows and about object storage. Credentials of a store
// have no flag: they come from the environment, as in AWS's own tools, and are read if an INPUT is
// in a store.
func (s *Settings) rows() []Flag {
	r, store := &s.Rows, &s.Objects
	return append(group(groupInput, reading,
		Described("format NAME", "by name", Text(&r.Format), "csv or jsonl, where an input's name does not say").
			among("csv", "jsonl"),
		Plain("map NAME=HEADER,...", mapping(&r.Map),
			"columns with other headers: From_Account=uid,To_Account=friend"),
		Plain("default-add-source SOURCE", Text(&r.DefaultAddSource),
			"for rows without AddSource: AddSource_Type_ and 1 to 8 letters").of("import accounts verify"),
		Plain("integer-tags TAG,...", list(&r.IntegerTags),
			"custom fields of a CSV that are integers; the others are strings"),
		WithDefault("invalid-field WHAT", "reject", Text(&r.InvalidField),
			"an optional field over its limit: reject the edge, drop the field, or cut it").
			among("reject", "drop", "cut"),
		Plain("mutual", On(&r.Mutual), "add the missing reverse of every edge, "+
			"with the AddSource and AddTime of the first row of its pair").of("import accounts verify"),
		WithDefault("duplicates WHICH", "last", Text(&r.Duplicates),
			"of several rows for one pair: last or first wins, or error").among("last", "first", "error"),
		WithDefault("max-friends N", "3000", Whole(&r.MaxFriends, 0, math.MaxInt32),
			"warn about rosters over it; 0: don't").of("import"),
		Plain("allow-empty", On(&r.AllowEmpty), "accept input without a single row"),
		Plain("strict", On(&s.Strict), "send nothing if any row is rejected").of("import update"),
	), group(groupObjects, reading,
		Described("s3-endpoint URL", "AWS_ENDPOINT_URL_S3, or AWS", Text(&store.Endpoint),
			"of the store: https://cos.ap-guangzhou.myqcloud.com is Tencent COS"),
		Described("s3-region NAME", "AWS_REGION, or by endpoint", Text(&store.Region), "of the bucket"),
		Choose("s3-addressing HOW", &store.Addressing, "virtual (https://bucket.host/key), "+
			"path (https://host/bucket/key) or auto: virtual for AWS and COS",
			objects.Auto, objects.Path, objects.Virtual),
	)...)
}

func (s *Settings) job() []Flag {
	return group(groupJob, staying,
		WithDefault("state FOLDER", DefaultState, File(&s.State),
			"of this job: checkpoint, staged input, lists, report"),
		WithDefault("state FOLDER", DefaultState, File(&s.State),
			"of the job; with shards all of them are meant, or, but for pace, one by its own folder").
			of(inspecting+" pace"),
		WithDefault("state FOLDER", DefaultState, File(&s.State),
			"of a job: --probe leaves there what undo takes for evidence").of("doctor"),
		Plain("fresh", On(&s.Fresh), "start over; the old state is moved to a folder old-TIME inside --state, "+
			"not deleted").of("import update").withoutVariable(),
		Plain("retry-failed[=CODES]", s.setRetry(), "send failed edges again, all or those of some codes "+
			"(--retry-failed=30003,30010), once").of(sending),
		Plain("only-accounts FILE", File(&s.OnlyAccounts),
			"a pilot: only these From_Accounts, one a line or in "+
				"a CSV; the rest stays pending").of("import verify update undo"),
		Plain("only-missing", On(&s.OnlyMissing), "ask first (friend_check) and import only what is not there").
			of("import"),
		Described("shard I/N", IndexVariable+" and "+shardsVariable, Last(s.Shard.set), "only share I, from 0, of N"),
		Described("memory SIZE", "256MiB, or 70 % of the container's limit", size(&s.Memory, leastMemory, 1<<50),
			"peak resident memory").of(running),
	)
}

func (s *Settings) pace() []Flag {
	return append(group("pace and patience", running,
		WithDefault("rate N", "200", number(&s.Rate, leastRate, 1e9),
			"calls per second that the service allows, all shards together; from 100000 on: no limit"),
		Described("workers N", "1.5 × rate", Whole(&s.Workers, 1, mostWorkers), "calls in flight at most"),
		WithDefault("timeout TIME", "10s", Duration(&s.Timeout, 10*time.Millisecond, time.Hour),
			"of one call (the service gives up at 3s)").of(calling),
		WithDefault("max-attempts N", "8", Whole(&s.MaxAttempts, 1, migrate.MostAttempts),
			"give an edge up after so many (at most 255), and 10 minutes since the first of them, if other accounts "+
				"get through"),
		WithDefault("outage-timeout TIME", "15m", Duration(&s.OutageTimeout, time.Second, year),
			"how long to hold while nothing gets through; before the first answer at most 30s"),
		WithDefault("chunk-bytes SIZE", "1MiB", size(&s.CallBytes, 1<<10, 64<<20),
			"JSON of one call at most").of(sending),
	), group(groupStop, sending,
		Described("max-duration TIME", "off", Duration(&s.MaxDuration, time.Second, 10*year),
			"stop after so long; the same command resumes").of(running),
		Described("max-failures N", "off", Whole(&s.MaxFailures, 0, 1<<62),
			"stop when more edges than this fail in this run"),
		WithDefault("max-failure-ratio SHARE", "0.5", number(&s.MaxFailureRatio, 0, 1),
			"stop when this share of what this run settled has failed, from 1,000 edges of 20 accounts on, "+
				"or when its first 300 calls land nothing; 0: neither"),
		Described("max-extra-calls N", "200, or 5 % of the calls if that is more", Whole(&s.MaxExtraCalls, 0, 1<<62),
			"stop when finding refused edges by halving has cost more calls"),
	)...)
}

func (s *Settings) watched() []Flag {
	return append(group(groupMonitoring, running,
		Described("listen HOST:PORT", "off", Last(s.setListen),
			"serve /metrics, /healthz, /readyz and /status there; port 0 takes a free one"),
		Described("linger TIME", "off", Duration(&s.Linger, 0, 24*time.Hour),
			"go on serving so long after the end, for the last scrape; a signal ends it"),
	), group("what is shown", calling,
		Plain("json", On(&s.JSON), "print the result on standard output, as JSON").
			of("plan accounts verify doctor status failures explain report"),
		Choose("progress HOW", &s.Progress, "bar, lines or none; auto: a bar on a terminal, lines otherwise",
			"auto", "bar", "lines", "none"),
		Choose("log-format HOW", &s.LogFormat, "console or json; auto: console on a terminal, json otherwise",
			"auto", "console", "json"),
		Choose("log-level LEVEL", &s.LogLevel, "debug, info, warn or error; account ids show at debug alone",
			"info", "debug", "warn", "error"),
	)...)
}

// Flags returns the flags of the command, after setting the settings to their defaults.
func (s *Settings) Flags() []Flag {
	s.MaxFailures, s.MaxExtraCalls = -1, -1 // no value of these two says their default
	all := s.table()
	for _, f := range all {
		if f.belongs("import") { // sets the default for commands without the flag too
			f.preset()
		}
	}
	return s.flagsOf(all)
}

// preset sets the setting to the flag's default, if it has one.
func (f Flag) preset() {
	if f.initial == "" {
		return
	}
	if err := f.Set([]string{f.initial}); err != nil {
		panic(fmt.Sprintf("the default of --%s %v", f.Name, err))
	}
}

// flagsOf returns those of all flags that the command has.
func (s *Settings) flagsOf(all []Flag) (flags []Flag) {
	for _, f := range all {
		if f.belongs(s.command) || s.command == "plan" && f.belongs("import") {
			flags = append(flags, f)
		}
	}
	if s.command == "plan" {
		hideAtPlan(flags)
	}
	if s.command == "simulate" {
		for _, knob := range s.Simulator.Flags() {
			syntax := strings.TrimSpace(knob.Name + " " + knob.Value)
			flags = append(flags, Group(knob.Group, Plain(syntax, Each(quoted(knob.Set)), knob.Usage))...)
		}
	}
	return flags
}

// hideAtPlan hides those flags of import that do not matter to plan. plan accepts them, so that
// both have the same command line. It ignores those that only sending needs, without checking them.
func hideAtPlan(flags []Flag) {
	for i := range flags {
		f := &flags[i]
		f.Hidden = !f.in(groupInput, groupObjects, "json", "state", "shard", "memory", "rate", "chunk-bytes",
			"progress",
			"allow-plain-http", "ca-file", "outage-timeout")
		f.ignored = f.Hidden && f.Name != "rehearse" && f.in(groupService, groupStop, groupMonitoring)
	}
}
