package job

import (
	"slices"
	"strings"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
)

// HintOutsidePod replaces the hint of a command that ends in a pod of the manifest's Job by one
// that can be run from outside, since nothing can be run in a pod that has ended. The Job starts
// the same command again if that may help. Any other command needs another Job, since the command
// of a Job cannot be changed. In any other pod the hint stays: it may be one to work in.
func (p *Program) HintOutsidePod(e exit.Ending) exit.Ending {
	if p.Env[exit.JobVariable] == "" || e.Hint == "" || strings.HasPrefix(e.Hint, "kubectl ") ||
		strings.HasPrefix(e.Hint, exit.NothingToRun) {
		return e
	}
	switch name, _ := Split(p.args()); name {
	case "import", "verify", "update", "undo", "accounts", "export":
	default: // called by kubectl exec; the pod goes on
		return e
	}
	command, why, _ := strings.Cut(e.Hint, " # ")
	over := e.Why == string(migrate.ReasonDuration) // the deadline of the Job has passed too
	again := e.Code == exit.Unfinished || e.Code == exit.InUse ||
		e.Code == exit.Unexpected && command == p.ResumeLine().String()
	if again && !over {
		e.Hint = exit.NothingToRun + ": the Job starts this command again by itself"
		if e.Code == exit.InUse { // it says how to watch the other run
			why = ""
		}
	} else {
		e.Hint = p.anotherJob(command, over)
		if p.Env[settings.IndexVariable] != "" && !slices.Contains(exit.Codes(exit.StopAll), e.Code) {
			e.Hint = exit.NothingToRun + " until all shards have ended; then: " + e.Hint
		}
	}
	if why != "" {
		e.Hint += " # " + why
	}
	return e
}

// anotherJob returns what replaces the Job, which goes before the command can run in another pod.
// over says that the Job may run the same command, but has no time left.
func (p *Program) anotherJob(command string, over bool) string {
	const retry = "--retry-failed"
	kubectl := "kubectl "
	if namespace := p.Env[exit.NamespaceVariable]; namespace != "" {
		kubectl += "--namespace " + exit.Quote(namespace) + " "
	}
	remove := kubectl + "delete job " + exit.Quote(p.Env[exit.JobVariable])
	switch {
	case over:
		return remove + " # then apply the manifest again, or wait for the next night of a CronJob"
	case command == p.ResumeLine().WithWord(retry).String() && p.Args[1] == "import":
		return remove + " && friendmigrate manifest ... -- " + retry + " | " + kubectl + "apply -f -"
	}
	if shard := p.Line().Value("shard"); shard != "" && p.Env[settings.IndexVariable] != "" { // each pod has its own
		command = strings.Replace(command, " --shard "+shard, "", 1)
	}
	return remove + " # then in another pod: " + command
}
