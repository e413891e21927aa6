package settings

import (
	"slices"
	"strings"

	"friendmigrate/cmd/friendmigrate/sampling"
)

// Doctor is everything that doctor is told.
type Doctor struct {
	Service    Service
	Pace       Pace
	Output     Output
	Accounts   string // a file, "" is none
	Sample     int64  // accounts of it, 0: all
	MissingOut string
	Probe      bool
	From, To   string // of Probe
	JSON       bool
}

// DefaultMissingOut is where the list of accounts goes that do not exist.
const DefaultMissingOut = "missing-accounts.txt"

// DoctorFlags describes the flags of doctor.
func DoctorFlags() []Flag {
	g := groupAsked
	return slices.Concat(
		[]Flag{
			{Name: "accounts", Value: "FILE", Usage: "ask too whether these accounts exist, one id a line (account_check, 100 ids a call, 100 calls per second)", Group: g, TakesFile: true},
			{Name: "sample", Value: "N", Usage: "ask about N of them, drawn at random, and say what that is worth", Group: g},
			{Name: "missing-out", Value: "FILE", Default: DefaultMissingOut, Usage: "where the accounts are listed that do not exist", Group: g, TakesFile: true},
			{Name: "probe", Value: "FROM,TO", Usage: "find out by two test accounts what this app does where the vendor is silent; it writes to FROM's friend list and puts it back", Group: g},
			{Name: "json", Kind: Switch, Usage: usageJSON, Group: groupOutput},
		},
		leaveOut(serviceFlags(), "rehearse"), pick(paceFlags(), "timeout", "max-attempts", "outage-timeout"), outputFlags(),
	)
}

// ReadDoctor reads and checks the settings of doctor.
func ReadDoctor(v Values) (Doctor, error) {
	r := &reader{Values: v.of(DoctorFlags()), real: true}
	s := Doctor{
		Service: r.service(), Pace: r.pace(Shard{}), Output: r.output(), Accounts: r.text("accounts", ""), Sample: r.whole("sample", 0, 1, sampling.Most),
		MissingOut: r.text("missing-out", DefaultMissingOut), JSON: r.turnedOn("json"),
	}
	if s.Sample > 0 && s.Accounts == "" {
		r.refuse("sample", "", "--sample is how many of --accounts are asked about, which is not given")
	}
	if pair, _, ok := r.last("probe"); ok {
		var found bool
		s.Probe = true
		if s.From, s.To, found = strings.Cut(pair, ","); !found || s.From == "" || s.To == "" || s.From == s.To {
			r.refuse("probe", word("probe"), "--probe is %q: it is FROM,TO, two different accounts of the app that are there for tests", pair)
		}
	}
	return s, r.err()
}
