package checkpoint

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Only what makes another job counts, and it is said in words. The same flags in another order are
// the same job.
func TestIdentityDiffers(t *testing.T) {
	base := Identity{
		SDKAppID: 1400000001, Target: "singapore", Inputs: []string{"sha256:0123456789abcdef", "sha256:ffff"},
		Options: map[string]string{"--map": "From_Account=uid", "--mutual": ""}, Shard: 1, Shards: 3, Edges: 10, Chunks: 2, PlanDigest: "cafe",
	}
	for name, c := range map[string]struct {
		change func(*Identity)
		want   []string
	}{
		"nothing":       {func(*Identity) {}, nil},
		"an empty flag": {func(id *Identity) { id.Options = map[string]string{"--format": "", "--map": "From_Account=uid"} }, nil},
		"plan and time": {func(id *Identity) { id.Edges, id.PlanDigest, id.Created = 11, "beef", time.Unix(1, 0) }, nil},
		"app":           {func(id *Identity) { id.SDKAppID = 2 }, []string{"SDKAppID was 1400000001, is 2"}},
		"target":        {func(id *Identity) { id.Target = "tokyo" }, []string{`region or endpoint was "singapore", is "tokyo"`}},
		"rehearsal":     {func(id *Identity) { id.Rehearsal = true }, []string{"it was a real run, is a rehearsal"}},
		"shard":         {func(id *Identity) { id.Shard = 2 }, []string{"--shard was 1/3, is 2/3"}},
		"no shards":     {func(id *Identity) { id.Shard, id.Shards = 0, 0 }, []string{"--shard was 1/3, is none"}},
		"fewer inputs":  {func(id *Identity) { id.Inputs = id.Inputs[:1] }, []string{"the number of inputs was 2, is 1"}},
		"order":         {func(id *Identity) { slices.Reverse(id.Inputs) }, []string{"the inputs are the same, but their order is another"}},
		"content": {func(id *Identity) { id.Inputs[0] = "sha256:x" },
			[]string{`the content of input 1 of 2 was sha256:012345678…, is "sha256:x"`}},
		"command": {func(id *Identity) {
			id.Options = map[string]string{"--map": "other", CommandOption: "update"}
		}, []string{`the command was "import", is "update"`}},
		"options": {func(id *Identity) { id.Options = map[string]string{"--duplicates": "first", "--map": "a=b"} },
			[]string{`--duplicates was "", is "first"`, `--map was "From_Account=uid", is "a=b"`}},
	} {
		other := base
		other.Inputs = slices.Clone(base.Inputs)
		c.change(&other)
		if got := base.Differs(other); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	one, other := Identity{}, Identity{Shards: 1}
	if got := one.Differs(other); got != nil {
		t.Errorf("one shard is the whole job: %q", got)
	}
	other = base
	other.Edges, other.PlanDigest = 11, "beef"
	if got := base.PlanDiffers(other); !strings.Contains(got, `10 edges`) || !strings.Contains(got, `11 edges`) || !strings.Contains(got, `"beef"`) {
		t.Errorf("%q", got)
	}
	if got := base.PlanDiffers(base); got != "" {
		t.Errorf("%q", got)
	}
}

func TestImpossibleJobs(t *testing.T) {
	for _, id := range []Identity{{Edges: 1}, {Chunks: -1}, {Chunks: 2, Edges: -1}, {Chunks: 1, Edges: 1001}, {Chunks: maxChunks + 1, Edges: maxChunks + 1}} {
		if err := Create(newMemFS(), testDir, id); err == nil {
			t.Errorf("%+v was taken", id)
		}
	}
	if err := Create(newMemFS(), testDir, Identity{}); err != nil {
		t.Errorf("an empty job: %v", err)
	}
}
