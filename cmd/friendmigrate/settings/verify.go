package settings

import (
	"io/fs"
	"maps"
	"slices"
	"time"

	"friendmigrate/cmd/friendmigrate/sampling"
	"friendmigrate/source"
	"friendmigrate/source/objects"
)

// Verify is everything that a verify is told.
type Verify struct {
	Service     Service
	Rows        source.Options // what a row of INPUT means
	Objects     objects.Config
	Job         Job
	Pace        Pace
	Eyes        Eyes
	Output      Output
	MaxDuration time.Duration // 0: off
	Fields      bool
	Sample      int64 // edges, 0: all
	JSON        bool
}

const (
	groupAsked  = "what is asked"
	usageJSON   = "print the result on standard output, as JSON"
	flagMaximum = "max-duration"
)

// VerifyFlags describes the flags of verify.
func VerifyFlags() []Flag {
	return slices.Concat(
		[]Flag{
			{Name: "fields", Kind: Switch, Usage: "compare fields too, by friend_get: Remark, GroupName, AddSource, AddWording, AddTime and custom fields that the input has", Group: groupAsked},
			{Name: "sample", Value: "N", Usage: "ask about N edges drawn at random, and say what that is worth", Group: groupAsked},
			{Name: "json", Kind: Switch, Usage: usageJSON, Group: groupOutput},
		},
		leaveOut(serviceFlags(), "rehearse"), leaveOut(inputFlags(), "max-friends", "strict"), objectFlags(), pick(jobFlags(), "state", "shard", "memory", "only-accounts"),
		leaveOut(paceFlags(), "chunk-bytes"), pick(stopFlags(), flagMaximum), eyesFlags(), outputFlags(),
	)
}

// leaveOut is a list of flags without some.
func leaveOut(flags []Flag, names ...string) []Flag {
	return slices.DeleteFunc(flags, func(f Flag) bool { return slices.Contains(names, f.Name) })
}

// pick is those of a list of flags that are named.
func pick(flags []Flag, names ...string) []Flag {
	return slices.DeleteFunc(flags, func(f Flag) bool { return !slices.Contains(names, f.Name) })
}

// of is v without the variables of flags that a command does not have: what they say is not meant for it.
func (v Values) of(flags []Flag) Values {
	env := maps.Clone(v.Env)
	for _, f := range ImportFlags() {
		if !slices.ContainsFunc(flags, func(mine Flag) bool { return mine.Name == f.Name }) {
			delete(env, Variable(f.Name))
		}
	}
	return Values{Flags: v.Flags, Env: env}
}

// ReadVerify reads and checks the settings of verify, as ReadImport does.
func ReadVerify(v Values, root fs.FS) (Verify, error) {
	r := &reader{Values: v.of(VerifyFlags()), real: true}
	s := Verify{
		Service: r.service(), Rows: r.rows(), Objects: r.objects(), Job: r.job(root), Eyes: r.eyes(), Fields: r.turnedOn("fields"), JSON: r.turnedOn("json"),
		MaxDuration: r.maxDuration(), Sample: r.whole("sample", 0, 1, sampling.Most),
	}
	s.Pace = r.pace(s.Job.Shard)
	s.Output = r.output()
	return s, r.err()
}

func (r *reader) maxDuration() time.Duration {
	return r.duration(flagMaximum, 0, time.Second, 10*365*24*time.Hour)
}
