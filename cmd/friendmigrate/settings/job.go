package settings

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// DefaultState is the state folder of a job without --state.
const DefaultState = "friendmigrate-state"

// Job says which job to run, and how to begin it.
type Job struct {
	State        string
	StateGiven   bool // by flag or variable
	Fresh        bool
	RetryFailed  bool
	RetryCodes   []int // empty: all
	OnlyAccounts string
	OnlyMissing  bool
	Shard        Shard
	Memory       int64 // bytes
}

func (j *Job) setRetry() Setter {
	return func(values []string) (err error) {
		value := strings.Join(values, ",") // the codes of all of them are meant
		switch last := values[len(values)-1]; {
		case last == "false":
			value = last
		case slices.Contains(values, "true"):
			value = "true"
		}
		if j.RetryCodes, j.RetryFailed, err = ParseCodes(value); err != nil {
			return Instead("", fmt.Errorf("is %q: %w", value, err))
		}
		return nil
	}
}

func (j *Job) check(r *Reader) {
	j.StateGiven = r.Given("state")
	if r.has("shard") && !r.Given("shard") {
		j.Shard = r.shardOfVariables()
	}
	j.Memory = memoryOr(j.Memory, r.root)
	if meant := MeantCode(j.RetryCodes); meant != "" {
		_, origin := r.Look("retry-failed")
		r.warn("%s is %q: %s", origin, r.Text("retry-failed"), meant)
	}
}

// ParseCodes parses the value of --retry-failed: ResultCodes separated by commas, or true for all
// (no codes), or false.
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

// MeantCode returns a question about the first unknown code that is similar to a known one, or "".
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
			return fmt.Sprintf("%d is not a code of the service; did you mean %s?", code, nearest)
		}
	}
	return ""
}

// LooksLikeCodes reports whether an argument is probably meant as the value of --retry-failed.
func LooksLikeCodes(argument string) bool {
	codes, on, err := ParseCodes(argument)
	return err == nil && on && len(codes) > 0 && codes[0] >= 100
}
