package settings

import (
	"slices"
	"strings"
	"testing"
)

func TestAPlanTakesTheCommandLineOfItsImport(t *testing.T) {
	var names []string
	for _, f := range Flags("plan") {
		names = append(names, f.Name)
	}
	for _, f := range Flags("import") {
		if !slices.Contains(names, f.Name) {
			t.Errorf("plan does not take --%s", f.Name)
		}
	}
	if slices.Sort(names); len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("a flag is there twice: %q", names)
	}
	s, err := Read("plan", Values{Flags: map[string][]string{"shard": {"1/4"}, "max-friends": {"7"}, "json": {"true"}}, Env: map[string]string{"FRIENDMIGRATE_RATE": "100"}}, nil)
	if err != nil || s.Pace.Rate != 25 || s.Rows.MaxFriends != 7 || !s.JSON || s.Pace.CallBytes != 1<<20 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := Read("plan", Values{Flags: map[string][]string{"duplicates": {"all"}}}, nil); err == nil {
		t.Error("a flag that import refuses is taken")
	}
}

func TestFailuresAreChosenByCodesAndAccounts(t *testing.T) {
	s, err := Read("failures", Values{Flags: map[string][]string{"code": {"30010,30003", "30003"}, "account": {"a,b", "c"}}}, nil)
	if err != nil || !slices.Equal(s.Codes, []int{30003, 30010}) || !slices.Equal(s.Account, []string{"a,b", "c"}) || s.Form != FormSummary || s.State != DefaultState {
		t.Errorf("%+v, %v", s, err)
	}
	for name, flags := range map[string]map[string][]string{
		"--code":          {"code": {"many"}},
		"--output-format": {"output-format": {"xml"}},
		"--json":          {"json": {"true"}, "output-format": {"csv"}},
	} {
		if _, err := Read("failures", Values{Flags: flags}, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
