package job

import (
	"strings"
	"testing"

	"friendmigrate/cmd/friendmigrate/exit"
)

// Nothing can be run in a pod that has ended: what helps is run from outside.
func TestAHintInAPodCanBeRunFromOutside(t *testing.T) {
	pod := map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "friends-x7k2p"}
	index := map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "friends-3", "JOB_COMPLETION_INDEX": "3"}
	const itself = "nothing to run: the Job starts this command again by itself"
	for _, c := range []struct {
		env        map[string]string
		line       string
		code       exit.Code
		hint, want string
	}{
		{nil, "import a.csv", exit.Unfinished, "friendmigrate import a.csv", "friendmigrate import a.csv"},
		{pod, "import a.csv", exit.Unfinished, "friendmigrate import a.csv", itself},
		{pod, "verify", exit.Unfinished, "friendmigrate verify", itself},
		{pod, "update a.csv", exit.InUse, "friendmigrate update a.csv", itself},
		{pod, "undo --yes", exit.Unfinished, "friendmigrate doctor", itself},
		{pod, "accounts --import", exit.Unfinished, "friendmigrate accounts --import", itself},
		{pod, "import a.csv", exit.Unexpected, "friendmigrate import a.csv", itself},
		{pod, "import a.csv", exit.Unexpected, "friendmigrate import --fresh a.csv",
			"kubectl delete job friends # then apply one that runs: friendmigrate import --fresh a.csv"},
		{pod, "import a.csv", exit.Exceptions, "friendmigrate import --retry-failed a.csv # after fixing what their codes say",
			"kubectl delete job friends && friendmigrate manifest ... -- --retry-failed | kubectl apply -f - # after fixing what their codes say"},
		{index, "import --rate 7 a.csv", exit.Exceptions, "friendmigrate import --rate 7 --retry-failed a.csv",
			"kubectl delete job friends && friendmigrate manifest ... -- --retry-failed | kubectl apply -f -"},
		{pod, "update a.csv", exit.Exceptions, "friendmigrate update --retry-failed a.csv",
			"kubectl delete job friends # then apply one that runs: friendmigrate update --retry-failed a.csv"},
		{pod, "verify", exit.Different, "friendmigrate import --state s-missing missing.csv",
			"kubectl delete job friends # then apply one that runs: friendmigrate import --state s-missing missing.csv"},
		{pod, "accounts", exit.Exceptions, "friendmigrate accounts --import # imports those that are missing",
			"kubectl delete job friends # then apply one that runs: friendmigrate accounts --import # imports those that are missing"},
		{pod, "import a.csv", exit.Done, "nothing to run; the report is in r", "nothing to run; the report is in r"},
		{pod, "status", exit.Unusable, "friendmigrate status --state FOLDER", "friendmigrate status --state FOLDER"},
	} {
		p := &Program{Args: append([]string{"friendmigrate"}, strings.Fields(c.line)...), Env: c.env, Flags: flagsOf}
		got := p.HintOutsidePod(exit.Ending{Code: c.code, Hint: c.hint})
		if got.Hint != c.want || p.HintOutsidePod(got).Hint != c.want {
			t.Errorf("%s, code %d: %s", c.line, c.code, got.Hint)
		}
	}
}
