package settings

import "io/fs"

// Plan is everything that a plan is told.
type Plan struct {
	Import             // of which it uses what says how rows are read and how calls are paced
	JSON        bool   // for programs
	AccountsOut string // file for the distinct account ids; "": none
}

const groupPlan = "the plan"

// PlanFlags describes the flags of plan that mean something to it. They are those of import, and some of its own.
func PlanFlags() []Flag {
	flags := []Flag{
		jsonFlag(groupPlan),
		{Name: "accounts-out", Value: "FILE", Usage: "write the distinct account ids of both sides there, as a CSV of one column: what has to exist in the app", Group: groupPlan, TakesFile: true},
	}
	used := []string{"state", "shard", "memory", "rate", "chunk-bytes", "progress", "allow-plain-http", "ca-file", "outage-timeout"}
	for _, f := range ImportFlags() {
		for _, name := range used {
			if f.Name == name {
				flags = append(flags, f)
			}
		}
		if f.Group == groupInput || f.Group == groupObjects {
			flags = append(flags, f)
		}
	}
	return flags
}

// PlanTakes describes all flags that plan takes: also those of import that mean nothing to it, so that a plan and its import have the same command line.
func PlanTakes() []Flag {
	flags := PlanFlags()
	for _, f := range ImportFlags() {
		if !has(flags, f.Name) {
			flags = append(flags, f)
		}
	}
	return flags
}

func has(flags []Flag, name string) bool {
	for _, f := range flags {
		if f.Name == name {
			return true
		}
	}
	return false
}

func jsonFlag(group string) Flag {
	return Flag{Name: "json", Kind: Switch, Usage: "print JSON for programs", Group: group}
}

// ReadPlan reads and checks the settings of plan. root is as of ReadImport. Nothing that only a call needs has to be there.
func ReadPlan(v Values, root fs.FS) (Plan, error) {
	r := &reader{Values: v}
	s := Plan{JSON: r.turnedOn("json"), AccountsOut: r.text("accounts-out", "")}
	s.Rows, s.Strict = r.rows(), r.turnedOn("strict")
	s.Job, s.Objects = r.job(root), r.objects()
	s.Pace = r.pace(s.Job.Shard)
	s.Output = r.output()
	return s, r.err()
}
