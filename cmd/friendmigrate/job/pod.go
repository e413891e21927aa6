package job

import (
	"strings"

	"friendmigrate/cmd/friendmigrate/exit"
)

// HintOutsidePod replaces the hint of a command that ends in a pod by one that can be run from
// outside, since nothing can be run in a pod that has ended. The Job of the pod starts the same
// command again if that may help. Any other command needs another Job, since the command of a Job
// cannot be changed.
func (p *Program) HintOutsidePod(e exit.Ending) exit.Ending {
	if p.Env["KUBERNETES_SERVICE_HOST"] == "" || e.Hint == "" || strings.HasPrefix(e.Hint, "kubectl ") ||
		strings.HasPrefix(e.Hint, exit.NothingToRun) {
		return e
	}
	switch name, _ := Split(p.Args); name {
	case "import", "verify", "update", "undo", "accounts", "export":
	default: // called by kubectl exec; the pod goes on
		return e
	}
	again := e.Code == exit.Unfinished || e.Code == exit.InUse ||
		e.Code == exit.Unexpected && e.Hint == p.ResumeLine().String()
	if again {
		e.Hint = exit.NothingToRun + ": the Job starts this command again by itself"
		return e
	}
	command, why, _ := strings.Cut(e.Hint, " # ")
	e.Hint = "kubectl delete job " + exit.Quote(jobName(p.Env))
	switch retry := "--retry-failed"; {
	case command == p.ResumeLine().WithWord(retry).String() && p.Args[1] == "import":
		e.Hint += " && friendmigrate manifest ... -- " + retry + " | kubectl apply -f -"
	default:
		e.Hint += " # then apply one that runs: " + command
	}
	if why != "" {
		e.Hint += " # " + why
	}
	return e
}

// jobName returns the name of the Job that this pod belongs to. A pod of an Indexed Job has the
// host name JOB-INDEX, any other pod JOB-SUFFIX.
func jobName(env map[string]string) string {
	host := env["HOSTNAME"]
	if index := env["JOB_COMPLETION_INDEX"]; index != "" {
		host = strings.TrimSuffix(host, "-"+index)
	} else if i := strings.LastIndexByte(host, '-'); i > 0 {
		host = host[:i]
	}
	if host == "" {
		return "JOB"
	}
	return host
}
