package job

import (
	"fmt"
	"testing"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/settings"
)

// A hint is run by hand, where the variables of the pod are not set; or in the pod, where they are.
func TestHintsNameTheShard(t *testing.T) {
	share := settings.Shard{Index: 1, Count: 4}
	for name, c := range map[string]struct {
		args         []string
		env          map[string]string
		again, other string
	}{
		"by flag": {
			[]string{"friendmigrate", "import", "--shard=1/4", "in.csv"}, nil,
			"friendmigrate import --shard=1/4 in.csv", "friendmigrate import --state s-fixed-1-of-4 list.csv",
		},
		"by variables": {
			[]string{"friendmigrate", "import", "in.csv"}, map[string]string{"JOB_COMPLETION_INDEX": "1", "FRIENDMIGRATE_SHARDS": "4"},
			"friendmigrate import --shard 1/4 in.csv", "friendmigrate import --shard 0/1 --state s-fixed-1-of-4 list.csv",
		},
		"by the variable of the flag": {
			[]string{"friendmigrate", "import", "in.csv"}, map[string]string{"FRIENDMIGRATE_SHARD": "1/4"},
			"friendmigrate import --shard 1/4 in.csv", "friendmigrate import --shard 0/1 --state s-fixed-1-of-4 list.csv",
		},
	} {
		p := &Program{Args: c.args, Env: c.env, Flags: flagsOf}
		p.NameShard(share)
		if got := p.ResumeLine().String(); got != c.again {
			t.Errorf("%s: %s", name, got)
		}
		if got := p.FollowUp(p.Line(), settings.Job{State: "s/", Shard: share}, "-fixed").Of("list.csv").String(); got != c.other {
			t.Errorf("%s: %s", name, got)
		}
	}
	p := &Program{Args: []string{"friendmigrate", "import", "in.csv"}, Env: map[string]string{exit.JobVariable: "x"}, Flags: flagsOf}
	named := make(chan struct{})
	go func() { // a second signal asks for both lines at any time; the race detector sees more than this test
		defer close(named)
		p.HintOutsidePod(exit.Ending{Code: exit.Unfinished, Hint: p.ResumeLine().String()})
	}()
	p.NameShard(share)
	<-named
	p = &Program{Args: []string{"friendmigrate", "import", "in.csv"}, Flags: flagsOf}
	p.NameShard(settings.Shard{})
	if got := p.FollowUp(p.Line(), settings.Job{State: "s"}, "-fixed").String(); got != "friendmigrate import --state s-fixed in.csv" || len(p.Args) != 3 {
		t.Errorf("undivided: %s", got)
	}
}

// The accounts of a pilot are counted by one shard each.
func TestAPilotsAccountsBelongToOneShardEach(t *testing.T) {
	accounts := map[string]bool{}
	for i := range 100 {
		accounts[fmt.Sprintf("u%d", i)] = i%3 > 0 // has a roster
	}
	whole := &Pilot{accounts: accounts}
	for n := 1; n <= 8; n++ {
		named, unknown := 0, 0
		for i := range n {
			part := &Pilot{accounts: map[string]bool{}, shard: settings.Shard{Index: i, Count: n}}
			for from, known := range accounts {
				part.accounts[from] = known && part.mine(from) // rosters of others are not staged
			}
			named, unknown = named+part.Named(), unknown+part.Unknown()
		}
		if named != whole.Named() || unknown != whole.Unknown() || named != 100 || unknown != 34 {
			t.Errorf("%d shards: %d named, %d unknown", n, named, unknown)
		}
	}
}
