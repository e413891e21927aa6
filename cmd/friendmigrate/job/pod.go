package job

import (
	"strings"

	"friendmigrate/cmd/friendmigrate/exit"
)

// Outside makes the hint of a command that ends in a pod one that can be run from outside: in a pod
// that has ended nothing can be run. Its Job starts the same command again where that may help. Any
// other command takes another Job, since what a Job runs cannot be changed.
func (p *Program) Outside(e exit.Ending) exit.Ending {
	if p.Env["KUBERNETES_SERVICE_HOST"] == "" || e.Hint == "" || strings.HasPrefix(e.Hint, "kubectl ") ||
		strings.HasPrefix(e.Hint, exit.NothingToRun) {
		return e
	}
	switch name, _ := Split(p.Args); name {
	case "import", "verify", "update", "undo", "accounts", "export":
	default: // somebody has called it with kubectl exec, and the pod goes on
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

// jobName is the name of the Job whose pod this is. A pod of an Indexed Job has the host name
// JOB-INDEX, any other one JOB-SUFFIX.
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
