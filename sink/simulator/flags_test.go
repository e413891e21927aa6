package simulator

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// flagTests sets every flag once, to a value that differs from the zero value, and says what the
// field must be then.
func flagTests(dir string) map[string]struct {
	text string
	want func(c *Config) any
	is   any
} {
	type test = struct {
		text string
		want func(c *Config) any
		is   any
	}
	half := 0.5
	ids := NewSet("a", "b b", "ü")
	return map[string]test{
		"seed":                        {"7", func(c *Config) any { return c.Seed }, uint64(7)},
		"latency":                     {"100ms", func(c *Config) any { return c.Latency }, 100 * time.Millisecond},
		"jitter":                      {"1m", func(c *Config) any { return c.Jitter }, time.Minute},
		"compact":                     {"", func(c *Config) any { return c.Compact }, true},
		"missing-accounts":            {"@" + dir + "/ids", func(c *Config) any { return c.Missing }, ids},
		"refused-accounts":            {"@" + dir + "/ids", func(c *Config) any { return c.Refused }, ids},
		"missing-accounts-share":      {"50%", func(c *Config) any { return c.MissingShare }, half},
		"missing-tags":                {"a,b b,ü", func(c *Config) any { return c.MissingTags }, ids},
		"admin-removed":               {"3-7,9-", func(c *Config) any { return c.AdminRemoved }, []Span{{3, 7}, {9, 0}}},
		"odd-lists":                   {"@" + dir + "/ids", func(c *Config) any { return c.OddLists }, ids},
		"friend-num-off":              {"-3", func(c *Config) any { return c.FriendNumOff }, int64(-3)},
		"empty-pages":                 {"2", func(c *Config) any { return c.EmptyPages }, int64(2)},
		"endless-lists":               {"", func(c *Config) any { return c.EndlessLists }, true},
		"other-tags":                  {"a,b b,ü", func(c *Config) any { return c.OtherTags }, ids},
		"limit":                       {"0.5", func(c *Config) any { return c.Limit }, half},
		"limit-changes":               {"1m=150,2m=0", func(c *Config) any { return c.LimitChanges }, []Change{{time.Minute, 150}, {2 * time.Minute, 0}}},
		"limit-counts-refused":        {"1", func(c *Config) any { return c.CountRefused }, true},
		"delete-limit":                {"100", func(c *Config) any { return c.DeleteLimit }, 100.0},
		"account-limit":               {"100", func(c *Config) any { return c.AccountLimit }, 100.0},
		"throttle-code":               {"429", func(c *Config) any { return c.ThrottleCode }, 429},
		"retry-after":                 {"7", func(c *Config) any { return c.RetryAfter }, "7"},
		"max-accounts":                {"100", func(c *Config) any { return c.MaxAccounts }, 100},
		"max-friends":                 {"-1", func(c *Config) any { return c.MaxFriends }, -1},
		"max-groups":                  {"5", func(c *Config) any { return c.MaxGroups }, 5},
		"max-body":                    {"1048576", func(c *Config) any { return c.MaxBody }, int64(1 << 20)},
		"reimport":                    {"exist", func(c *Config) any { return c.Reimport }, ReimportExist},
		"reimport-fields":             {"keep", func(c *Config) any { return c.KeepFields }, true},
		"duplicate-to":                {"call", func(c *Config) any { return c.DuplicateTo }, DuplicateCall},
		"self-to":                     {"accept", func(c *Config) any { return c.SelfTo }, SelfAccept},
		"order":                       {"sorted", func(c *Config) any { return c.Order }, OrderSorted},
		"page-size":                   {"7", func(c *Config) any { return c.PageSize }, 7},
		"add-time":                    {"absent", func(c *Config) any { return c.NoAddTime }, true},
		"full-refuses":                {"call", func(c *Config) any { return c.FullRefuses }, true},
		"conflict-level":              {"item", func(c *Config) any { return c.ConflictItems }, true},
		"fail-account":                {"absent", func(c *Config) any { return c.NoFailAccount }, true},
		"busy-after":                  {"1s", func(c *Config) any { return c.BusyAfter }, time.Second},
		"fault-code":                  {"30006=1%,30007=0.5", sharesOf("code", false), map[string]float64{"code:30006": 0.01, "code:30007": half}},
		"fault-code-applied":          {"30006=1%,30007=0.5", sharesOf("code", true), map[string]float64{"code:30006+applied": 0.01, "code:30007+applied": half}},
		"fault-item":                  {"30006=1%,30007=0.5", sharesOf("items", false), map[string]float64{"items:30006": 0.01, "items:30007": half}},
		"fault-item-applied":          {"30006=1%,30007=0.5", sharesOf("items", true), map[string]float64{"items:30006+applied": 0.01, "items:30007+applied": half}},
		"fault-http":                  {"502=50%", sharesOf("http", false), map[string]float64{"http:502": half}},
		"fault-http-applied":          {"502=50%", sharesOf("http", true), map[string]float64{"http:502+applied": half}},
		"fault-body":                  {"empty=.5,html=1%", sharesOf("body", false), map[string]float64{"body:empty": half, "body:html": 0.01}},
		"fault-body-applied":          {"empty=.5,html=1%", sharesOf("body", true), map[string]float64{"body:empty+applied": half, "body:html+applied": 0.01}},
		"fault-raw":                   {"zeros=.5", sharesOf("raw", false), map[string]float64{"raw:zeros": half}},
		"fault-raw-applied":           {"zeros=.5", sharesOf("raw", true), map[string]float64{"raw:zeros+applied": half}},
		"fault-window":                {"10s-1m10s", func(c *Config) any { return c.Faults.Window }, Window{10 * time.Second, 70 * time.Second}},
		"fault-apis":                  {"friend_check,friend_get", func(c *Config) any { return c.APIs }, NewSet("friend_check", "friend_get")},
		"fault-reset":                 {".5", sharesOf("reset", false), map[string]float64{"reset": half}},
		"fault-reset-applied":         {".5", sharesOf("reset", true), map[string]float64{"reset+applied": half}},
		"fault-close":                 {".5", sharesOf("close", false), map[string]float64{"close": half}},
		"fault-close-applied":         {".5", sharesOf("close", true), map[string]float64{"close+applied": half}},
		"fault-cut":                   {".5", sharesOf("cut", false), map[string]float64{"cut": half}},
		"fault-cut-applied":           {".5", sharesOf("cut", true), map[string]float64{"cut+applied": half}},
		"fault-stall":                 {".5", sharesOf("stall", false), map[string]float64{"stall": half}},
		"fault-stall-applied":         {".5", sharesOf("stall", true), map[string]float64{"stall+applied": half}},
		"fault-stall-headers":         {".5", sharesOf("stall-headers", false), map[string]float64{"stall-headers": half}},
		"fault-stall-headers-applied": {".5", sharesOf("stall-headers", true), map[string]float64{"stall-headers+applied": half}},
		"fault-stall-half":            {".5", sharesOf("stall-half", false), map[string]float64{"stall-half": half}},
		"fault-stall-half-applied":    {".5", sharesOf("stall-half", true), map[string]float64{"stall-half+applied": half}},
		"fault-drip":                  {".5", sharesOf("drip", false), map[string]float64{"drip": half}},
		"fault-spike":                 {".5", sharesOf("spike", false), map[string]float64{"spike": half}},
		"outage": {"10s-20s,30s-=http:503+applied", func(c *Config) any { return c.Outages },
			[]Outage{{Window{10 * time.Second, 20 * time.Second}, Fault{Kind: FaultRefuse}}, {Window{30 * time.Second, 0}, Fault{Kind: FaultStatus, Code: 503, Applied: true}}}},
		"sig-expire":   {"1m,2m", func(c *Config) any { return c.SigExpire }, []time.Duration{time.Minute, 2 * time.Minute}},
		"sig-revoke":   {"1m,2m", func(c *Config) any { return c.SigRevoke }, []time.Duration{time.Minute, 2 * time.Minute}},
		"hot":          {"a,b b,ü", func(c *Config) any { return c.Hot }, ids},
		"hot-share":    {".5", func(c *Config) any { return c.HotShare }, half},
		"hot-window":   {"0s-1s", func(c *Config) any { return c.HotWindow }, Window{0, time.Second}},
		"poison":       {"@" + dir + "/ids", func(c *Config) any { return c.Poison }, ids},
		"poison-share": {".5", func(c *Config) any { return c.PoisonShare }, half},
		"poison-info":  {"x,y", func(c *Config) any { return c.PoisonInfo }, "x,y"},
	}
}

// sharesOf are the shares of one kind of fault.
func sharesOf(kind string, applied bool) func(c *Config) any {
	return func(c *Config) any {
		of := map[string]float64{}
		for text, share := range c.Shares {
			name, _, _ := strings.Cut(strings.TrimSuffix(text, "+applied"), ":")
			if name == kind && strings.HasSuffix(text, "+applied") == applied {
				of[text] = share
			}
		}
		return of
	}
}

func TestEveryFlagSetsItsField(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ids", "\xef\xbb\xbfa\r\nb b\n\nü")
	tests := flagTests(dir)
	var c Config
	fields := 0
	for _, f := range c.Flags() {
		test, ok := tests[f.Name]
		if !ok {
			t.Errorf("no test sets --%s", f.Name)
			continue
		}
		before := test.want(&c)
		if err := f.Set(test.text); err != nil {
			t.Errorf("--%s %q: %v", f.Name, test.text, err)
		}
		if got := test.want(&c); !reflect.DeepEqual(got, test.is) || reflect.DeepEqual(got, before) {
			t.Errorf("--%s %q sets %v, want %v", f.Name, test.text, got, test.is)
		}
		if f.Usage == "" || strings.Contains(f.Name, "_") {
			t.Errorf("--%s has no usage", f.Name)
		}
		fields++
	}
	if fields != len(tests) {
		t.Errorf("%d flags, %d tests", fields, len(tests))
	}
	// With every flag set no field is left at its zero value but those that no flag is meant for.
	except := []string{"SDKAppID", "Key", "Identifier", "Accounts", "Observe", "Script", "calls", "items"}
	for _, part := range []any{c, c.App, c.Limits, c.Readings, c.Faults} {
		v := reflect.ValueOf(part)
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; v.Field(i).IsZero() && !slices.Contains(except, name) {
				t.Errorf("no flag sets %s", name)
			}
		}
	}
	New(c) // and all of it together is a configuration
}

func TestWrongValuesAreRefusedAndChangeNothing(t *testing.T) {
	wrong := map[string][]string{
		"seed": {"", "x", "-1"}, "latency": {"", "5", "-1s"}, "compact": {"maybe"}, "missing-accounts": {"@nowhere"}, "missing-accounts-share": {"", "1.5", "-1", "200%", "NaN"},
		"limit": {"", "x", "-5", "NaN", "Inf"}, "limit-changes": {"150", "1m", "1m=x", "x=5"}, "max-body": {"1.5"},
		"reimport": {"", "maybe"}, "admin-removed": {"3", "0-1", "5-5", "x-", "-4", "3-x"}, "order": {"random"}, "fault-code": {"30006", "30006=2", "x=0.1", "=0.1"}, "fault-http": {"99=0.1", "600=0.1"},
		"fault-body": {"nope=0.1"}, "fault-raw": {"nope=0.1"}, "fault-window": {"", "10s", "20s-10s", "a-b"}, "fault-apis": {"import"},
		"outage": {"10s", "10s-20s=nope", "10s-20s=http", "10s-20s=http:42", "10s-20s=reset:1", "10s-20s=spike:x"}, "sig-expire": {"x"},
	}
	for name, texts := range wrong {
		var c Config
		flags := c.Flags()
		f := flags[slices.IndexFunc(flags, func(f Flag) bool { return f.Name == name })]
		for _, text := range texts {
			if err := f.Set(text); err == nil {
				t.Errorf("--%s %q is accepted", name, text)
			}
		}
		if !reflect.DeepEqual(c, Config{}) {
			t.Errorf("--%s with wrong values changes the configuration: %+v", name, c)
		}
	}
}

func TestFaultTextsGoRound(t *testing.T) {
	for _, text := range append(allFaults(), "stall", "spike:1h0m0s", "drip") {
		f, err := ParseFault(text)
		if err != nil || f.String() != text {
			t.Errorf("%q is read as %q, error %v", text, f.String(), err)
		}
	}
	for _, text := range []string{"", "code", "code:x", "nope", "body", "body:nope", "raw:empty", "reset:5", ":5", "+applied"} {
		if f, err := ParseFault(text); err == nil {
			t.Errorf("%q is read as %+v", text, f)
		}
	}
}
