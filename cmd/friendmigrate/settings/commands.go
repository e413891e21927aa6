package settings

import (
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
)

// Flags declares the flags of a command, in the order of its help text.
func Flags(command string) []Flag { return (&Settings{command: command}).Flags() }

// Read reads and checks the settings of a command, as ReadInto does.
func Read(command string, v Values, root fs.FS) (Settings, error) {
	s := Settings{command: command}
	err := ReadInto(&s, v, root)
	return s, err
}

// Flags declares the flags of the command. Those of import come first in the code, as others have
// them too.
func (s *Settings) Flags() []Flag {
	all := slices.Concat(s.Service.flags(), rowFlags(&s.Rows, &s.Strict), objectFlags(&s.Objects), s.Job.flags(),
		s.Pace.flags(), s.Stop.flags(), s.Eyes.flags(), s.Output.flags())
	state := Group(groupJob, Declare("state FOLDER", DefaultState, Text(&s.State),
		"of the job; with shards all of them are meant, or one by its own folder"))
	json := Open("json", "", On(&s.JSON), "print JSON for programs")
	switch s.command {
	case "import":
		return all
	case "accounts":
		own := Group(groupAsked,
			Open("import", "", On(&s.Import), "import those that are missing, and no others"))
		own = append(own, Group(groupOutput, Open("json", "", On(&s.JSON), usageJSON))...)
		return append(own, without(all, "rehearse", "rehearse-real-time", "fresh", "retry-failed", "only-accounts",
			"only-missing", "max-friends", "strict", "max-failures", "max-failure-ratio", "max-extra-calls",
			"chunk-bytes")...)
	case "undo":
		own := Group(groupJob, withoutVariable(Open("yes", "", On(&s.Yes), "delete; without it nothing is sent")),
			withoutVariable(Open("assume-new", "", On(&s.AssumeNew),
				"take every imported edge for one that was not there before")))
		return append(own, without(all, "rehearse", "rehearse-real-time", "fresh", "only-missing", groupInput,
			groupObjects)...)
	case "update":
		return without(all, "rehearse", "rehearse-real-time", "default-add-source", "mutual", "max-friends",
			"only-missing")
	case "plan":
		return s.planFlags(all, json)
	case "verify":
		return append(s.verifyFlags(), without(all, "rehearse", "rehearse-real-time", "max-friends", "strict", "fresh",
			"retry-failed",
			"only-missing", "chunk-bytes", "max-failures", "max-failure-ratio", "max-extra-calls")...)
	case "export":
		return append(s.exportFlags(), without(all, "rehearse", "rehearse-real-time", "chunk-bytes", "state", "fresh",
			"retry-failed",
			"only-accounts", "only-missing", "shard", "max-failures", "max-failure-ratio", "max-extra-calls",
			groupInput, groupObjects)...)
	case "doctor":
		return append(s.doctorFlags(), without(all, "rehearse", "rehearse-real-time", "rate", "workers", "chunk-bytes",
			groupInput, groupObjects, groupJob, groupStop, groupEyes)...)
	case "status":
		return append(state, Group(groupOutput, json,
			Open("watch", "", On(&s.Watch), "show it again each second until the job has ended; "+
				"where the output is no terminal, a line (with --json an object) each time"))...)
	case "failures":
		return slices.Concat(state, s.failuresFlags(), Group(groupOutput, json))
	case "explain", "report":
		return append(state, Group(groupOutput, json)...)
	case "undo-list":
		return append(state, Group(groupOutput, Open("uncertain", "", On(&s.Uncertain), "also pairs that were found "+
			"in place after a call without an answer: this job or somebody before it made them"))...)
	case "pace":
		return state
	case "clean":
		return append(state, Group(groupJob, withoutVariable(Open("unfinished", "", On(&s.Unfinished),
			"also of a job with pending edges, which then needs its input to go on")))...)
	case "simulate":
		return s.simulateFlags()
	}
	panic("no flags of " + s.command)
}

// planFlags has all flags of import, so that a plan and its import have the same command line.
// Nothing that only a call needs is looked at.
func (s *Settings) planFlags(all []Flag, json Flag) []Flag {
	own := Group("the plan", json)
	shown := []string{
		groupInput, groupObjects, "state", "shard", "memory", "rate", "chunk-bytes", "progress", "allow-plain-http",
		"ca-file", "outage-timeout",
	}
	rest := without(all, shown...)
	for i := range rest {
		rest[i].Hidden = true
		rest[i].ignored = rest[i].Name != "rehearse" && rest[i].in(groupService, groupStop, groupEyes)
	}
	return slices.Concat(own, Only(all, shown...), rest)
}

// MostDrawn is the largest --sample: more would say nothing new and takes memory for each member.
const MostDrawn = 200_000

const usageJSON = "print the result on standard output, as JSON"

func (s *Settings) verifyFlags() []Flag {
	return append(Group(groupAsked,
		Open("fields", "", On(&s.Fields), "compare fields too, by friend_get: "+
			"Remark, GroupName, AddSource, AddWording, AddTime and custom fields that the input has"),
		Open("sample N", "", Whole(&s.Sample, 1, MostDrawn),
			"ask about N edges drawn at random, and say what that is worth"),
	), Group(groupOutput, Open("json", "", On(&s.JSON), usageJSON))...)
}

func (s *Settings) doctorFlags() []Flag {
	return append(Group(groupAsked,
		Open("accounts FILE", "", Text(&s.Accounts),
			"also ask whether these accounts exist, one id a line (account_check, 100 ids a call)"),
		Declare("sample N", "10000", Whole(&s.Sample, 1, MostDrawn),
			"ask about at most N of them, drawn at random, and say what that is worth"),
		Declare("missing-out FILE", "missing-accounts.txt", Text(&s.MissingOut),
			"where the accounts are listed that do not exist"),
		Open("probe FROM,TO", "", Last(s.setProbe), "find out by two test accounts what this app does "+
			"where the vendor is silent; it writes to FROM's friend list and puts it back"),
	), Group(groupOutput, Open("json", "", On(&s.JSON), usageJSON))...)
}

func (s *Settings) setProbe(pair string) error {
	from, to, found := strings.Cut(pair, ",")
	if !found || from == "" || to == "" || from == to {
		return fmt.Errorf("is %q: it is FROM,TO, two different accounts of the app that are there for tests", pair)
	}
	s.Probe, s.From, s.To = true, from, to
	return nil
}

func (s *Settings) exportFlags() []Flag {
	return Group("what is exported",
		Open("accounts FILE", "", Text(&s.Accounts), "the accounts whose friends are exported, one id a line, "+
			"or a CSV with a column From_Account, UserID or To_Account; - is standard input"),
		Open("output FILE", "standard output", Text(&s.Destination),
			"where to write; .gz and .zst are compressed. The same command resumes"),
		Open("format NAME", "by the name of --output, else jsonl", Text(&s.Format),
			"csv or jsonl. JSONL holds everything and is written as it comes; CSV is written when all is "+
				"read").among("csv",
			"jsonl"),
	)
}

// The forms in which failures can be printed.
const (
	FormSummary = "summary"
	FormCSV     = "csv"
	FormJSONL   = "jsonl"
)

func (s *Settings) failuresFlags() []Flag {
	return Group(groupOutput,
		Open("code CODES", "", s.setCodes, "only those with these ResultCodes, such as 30003,30010").
			among(codes()...),
		Open("account ID", "", Each(s.addAccount), "only those from or to this account; may be given again"),
		Choose("output-format FORM", &s.Form, "summary: a count, an example and advice for each code; "+
			"csv or jsonl: the list itself, which import accepts", FormSummary, FormCSV, FormJSONL),
	)
}

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

// addAccount takes an id as it is: it may hold commas.
func (s *Settings) addAccount(id string) error {
	s.Account = append(s.Account, id)
	if id == "" {
		return errEmpty
	}
	return nil
}

// simulateFlags say where the simulator serves and what app it is; the rest is what the simulator
// itself has.
func (s *Settings) simulateFlags() []Flag {
	flags := Group("the app",
		Declare("listen HOST:PORT", "127.0.0.1:0", Text(&s.Listen), "where to serve; port 0 takes a free one"),
		Open("sdk-app-id N", "", Whole(&s.SDKAppID, 1, math.MaxUint32), "the simulated app"),
		Declare("identifier ID", administrator, Text(&s.Identifier), "its admin account"),
		Open("secret-key-file FILE", "", Text(&s.Key.File), "its secret key; or the variable "+KeyVariable),
		Declare("accounts all|FILE", "all", Text(&s.Accounts),
			"the accounts that exist, one a line; the rest is answered 30003"),
	)
	for _, knob := range s.Simulator.Flags() {
		syntax := strings.TrimSpace(knob.Name + " " + knob.Value)
		flags = append(flags, Group(knob.Group, Open(syntax, "", valid(knob.Set), knob.Usage))...)
	}
	return flags
}
