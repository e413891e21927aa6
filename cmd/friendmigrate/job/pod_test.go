package job

import (
	"strings"
	"testing"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/migrate"
)

// The deadline that the manifest writes has passed as well, so its Job starts no pod any more.
func TestAJobWhoseTimeIsOverIsAppliedAgain(t *testing.T) {
	p := &Program{Args: []string{"friendmigrate", "import", "a.csv"}, Flags: flagsOf, Env: map[string]string{"FRIENDMIGRATE_POD_JOB": "friends"}}
	got := p.HintOutsidePod(exit.Ending{Code: exit.Unfinished, Why: string(migrate.ReasonDuration), Hint: "friendmigrate import a.csv"}).Hint
	if got != "kubectl delete job friends # then apply the manifest again, or wait for the next night of a CronJob" {
		t.Error(got)
	}
}

// Nothing can be run in a pod that has ended: what helps is run from outside.
func TestAHintInAPodCanBeRunFromOutside(t *testing.T) {
	toolbox := map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "toolbox-x7k2p"} // somebody works in it
	pod := map[string]string{"FRIENDMIGRATE_POD_JOB": "friends"}
	index := map[string]string{"FRIENDMIGRATE_POD_JOB": "friends", "JOB_COMPLETION_INDEX": "3"}
	made := map[string]string{"FRIENDMIGRATE_POD_JOB": "friends", "JOB_COMPLETION_INDEX": "3", "FRIENDMIGRATE_POD_NAMESPACE": "chat"}
	const itself = "nothing to run: the Job starts this command again by itself"
	for _, c := range []struct {
		env        map[string]string
		line       string
		code       exit.Code
		hint, want string
	}{
		{nil, "import a.csv", exit.Unfinished, "friendmigrate import a.csv", "friendmigrate import a.csv"},
		{toolbox, "import a.csv", exit.Unfinished, "friendmigrate import a.csv", "friendmigrate import a.csv"},
		{toolbox, "import a.csv", exit.Unexpected, "friendmigrate import --fresh a.csv", "friendmigrate import --fresh a.csv"},
		{pod, "import a.csv", exit.Unfinished, "friendmigrate import a.csv", itself},
		{pod, "verify", exit.Unfinished, "friendmigrate verify", itself},
		{pod, "update a.csv", exit.InUse, "friendmigrate status --watch # shows what runs there", itself},
		{pod, "undo --yes", exit.Unfinished, "friendmigrate doctor", itself},
		{pod, "accounts --import", exit.Unfinished, "friendmigrate accounts --import", itself},
		{pod, "import a.csv", exit.Unexpected, "friendmigrate import a.csv", itself},
		{pod, "import a.csv", exit.Unexpected, "friendmigrate import --fresh a.csv",
			"kubectl delete job friends # then in another pod: friendmigrate import --fresh a.csv"},
		{pod, "import a.csv", exit.Exceptions, "friendmigrate import --retry-failed a.csv # after fixing what their codes say",
			"kubectl delete job friends && friendmigrate manifest ... -- --retry-failed | kubectl apply -f - # after fixing what their codes say"},
		{index, "import --rate 7 a.csv", exit.Exceptions, "friendmigrate import --rate 7 --retry-failed a.csv",
			"nothing to run until all shards have ended; then: kubectl delete job friends && friendmigrate manifest ... -- --retry-failed | kubectl apply -f -"},
		{made, "import a.csv", exit.Exceptions, "friendmigrate import --retry-failed a.csv",
			"nothing to run until all shards have ended; then: kubectl --namespace chat delete job friends && friendmigrate manifest ... -- --retry-failed | kubectl --namespace chat apply -f -"},
		{index, "import --shard 3/4 a.csv", exit.Done, "friendmigrate verify --fields --shard 3/4 # proves it",
			"nothing to run until all shards have ended; then: kubectl delete job friends # then in another pod: friendmigrate verify --fields # proves it"},
		{index, "import --shard 3/4 a.csv", exit.Unfinished, "friendmigrate import --shard 3/4 a.csv", itself},
		{index, "import --shard 3/4 a.csv", exit.Refused, "friendmigrate import --shard 3/4 a.csv # after fixing that",
			"kubectl delete job friends # then in another pod: friendmigrate import a.csv # after fixing that"},
		{pod, "import a.csv", exit.Unexpected, "friendmigrate import a.csv # after making room", itself + " # after making room"},
		{pod, "import a.csv", exit.Unusable, "ls -l /data", "kubectl delete job friends # then in another pod: ls -l /data"},
		{pod, "import s3://b/a.csv", exit.Unusable, "aws s3 ls s3://b/a.csv", "kubectl delete job friends # then in another pod: aws s3 ls s3://b/a.csv"},
		{pod, "import a.csv", exit.Unusable, "iconv -f UTF-16 a.csv > b.csv", "kubectl delete job friends # then in another pod: iconv -f UTF-16 a.csv > b.csv"},
		{pod, "update a.csv", exit.Exceptions, "friendmigrate update --retry-failed a.csv",
			"kubectl delete job friends # then in another pod: friendmigrate update --retry-failed a.csv"},
		{pod, "verify", exit.Different, "friendmigrate import --state s-missing missing.csv",
			"kubectl delete job friends # then in another pod: friendmigrate import --state s-missing missing.csv"},
		{pod, "accounts", exit.Exceptions, "friendmigrate accounts --import # imports those that are missing",
			"kubectl delete job friends # then in another pod: friendmigrate accounts --import # imports those that are missing"},
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
