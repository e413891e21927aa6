package settings

import "math"

// Simulate is what the simulated service is told beside its own knobs.
type Simulate struct {
	Listen     string // HOST:PORT
	SDKAppID   uint64
	Identifier string
	Key        Key
	Accounts   string // all, or a file with one account a line
}

// SimulateFlags describes the flags of simulate that are not knobs of the service.
func SimulateFlags() []Flag {
	return []Flag{
		{Name: "listen", Value: "HOST:PORT", Default: "127.0.0.1:0", Usage: "where to serve; port 0 takes a free one", Group: groupApp},
		{Name: "sdk-app-id", Value: "N", Usage: "the simulated app", Group: groupApp},
		{Name: "identifier", Value: "ID", Default: "administrator", Usage: "its admin account", Group: groupApp},
		{Name: "secret-key-file", Value: "FILE", Usage: "its secret key; or the variable " + KeyVariable, Group: groupApp, TakesFile: true},
		{Name: "accounts", Value: "all|FILE", Default: "all", Usage: "the accounts that exist, one a line; the rest is answered 30003", Group: groupApp, TakesFile: true},
	}
}

const groupApp = "the app"

// Knob is a setting that its owner parses.
type Knob struct {
	Name string
	Set  func(text string) error
}

// ReadSimulate reads and checks the settings of simulate and hands knobs what they were given.
func ReadSimulate(v Values, knobs []Knob) (Simulate, error) {
	r := &reader{Values: v}
	s := Simulate{
		Listen:     r.text("listen", "127.0.0.1:0"),
		Identifier: r.text("identifier", "administrator"),
		Key:        r.key(),
		Accounts:   r.text("accounts", "all"),
	}
	if r.given("sdk-app-id") {
		s.SDKAppID = uint64(r.whole("sdk-app-id", 0, 1, math.MaxUint32))
	} else {
		r.missing("--sdk-app-id is missing: any number will do, as long as the import has the same")
	}
	if !s.Key.Given() {
		r.missing("the secret key is missing: give a file with it by --secret-key-file, or set %s; any word will do, as long as the import has the same", KeyVariable)
	}
	for _, k := range knobs {
		values, origin := r.look(k.Name)
		for _, value := range values {
			if err := k.Set(value); err != nil {
				r.refuse(k.Name, word(k.Name), "%s is %q: %w", origin, value, err)
			}
		}
	}
	return s, r.err()
}
