package doctor

import (
	"friendmigrate/cmd/friendmigrate/exit"
)

// Level is the result of a check.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning" // a run will work, but this needs attention
	Failed  Level = "failed"
	Skipped Level = "skipped" // the check could not be made
)

// Check is one check and its result.
type Check struct {
	Name  string `json:"name"`
	Level Level  `json:"level"`
	Saw   string `json:"saw"`
	Fix   string `json:"fix,omitempty"`

	code exit.Code // of a failed check
}

func good(name, saw string) Check    { return Check{Name: name, Level: OK, Saw: saw} }
func skipped(name, saw string) Check { return Check{Name: name, Level: Skipped, Saw: saw} }
func warning(name, saw, fix string) Check {
	return Check{Name: name, Level: Warning, Saw: saw, Fix: fix}
}
func unreachable(name, saw, fix string) Check { return bad(name, saw, fix, exit.Unfinished) }
func bad(name, saw, fix string, code exit.Code) Check {
	return Check{Name: name, Level: Failed, Saw: saw, Fix: fix, code: code}
}

// Code returns the exit code of some checks: 0, 4 (unreachable) or 12 (refused).
func Code(checks []Check) exit.Code {
	var codes []exit.Code
	for _, c := range checks {
		if c.Level == Failed {
			codes = append(codes, c.code)
		}
	}
	return exit.Gravest(codes...)
}
