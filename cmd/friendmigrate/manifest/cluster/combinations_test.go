package cluster

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"friendmigrate/cmd/friendmigrate/manifest"
)

// choice is one flag and what it is given; "" is not at all. "--" stands for the flags of import
// after --.
type choice struct {
	flag   string
	values []string
}

// shapes are the flags that bring an object, a field or another kind of Job: every combination of
// them is made.
func shapes() []choice {
	return []choice{
		{"shards", []string{"", "1", "3"}},
		{"claim-per-shard", []string{"", "true"}},
		{"cron", []string{"", "0 1 * * 1-5"}},
		{"max-duration", []string{"", "5h30m"}},
		{"pod-monitor", []string{"", "true"}},
		{"listen", []string{"", ":8080"}},
		{"input", []string{"", "s3://bucket/friends"}},
		{"endpoint", []string{"", "https://chat.example.com:8443"}},
		{"--", []string{"", "--rehearse"}},
		{"namespace", []string{"", "chat"}},
		{"storage-class", []string{"", "fast.local"}},
	}
}

// fillings only change a value, or add one that stands alone. Each combination takes the next one
// of each, so that all meet all.
func fillings() []choice {
	return []choice{
		{"env", []string{"", "HTTPS_PROXY=http://proxy:3128"}},
		{"pull-secret", []string{"", "registry.example"}},
		{"name", []string{"", "a", "friends-of-2026"}},
		{"image", []string{"", "registry.example.com:5000/team/friendmigrate:1.0.0", "friendmigrate@sha256:0f3bb0b8dbf0b0f0f5c2b6a0a1c7c0f6b3f3c2d1e0f9a8b7c6d5e4f3a2b1c0d9", "friendmigrate"}},
		{"secret", []string{"", "chat.secrets"}},
		{"storage-size", []string{"", "200Gi", "1.5Ti"}},
		{"time-zone", []string{"", "Asia/Singapore"}},
		{"linger", []string{"", "1m"}},
		{"state", []string{"", "/data/pilot", "jobs/1"}},
		{"identifier", []string{"", "root's $(HOME)", "no"}},
		{"backup-host", []string{"", "true"}},
		{"rate", []string{"", "100", "150.5"}},
		{"timeout", []string{"", "30s", "3500ms"}},
		{"memory", []string{"", "1GiB", "100MB"}},
	}
}

func TestEveryFlagIsCombined(t *testing.T) {
	known := []string{"sdk-app-id", "region"} // always given
	for _, c := range append(shapes(), fillings()...) {
		known = append(known, c.flag)
	}
	for _, f := range new(manifest.Options).Flags() {
		if !slices.Contains(known, f.Name) {
			t.Errorf("--%s is in no combination", f.Name)
		}
	}
}

// Every combination decodes strictly into Kubernetes' types, passes Pod Security "restricted" and
// keeps the rules that only the API server knows.
func TestEveryCombinationIsAccepted(t *testing.T) {
	var made, refused int
	all := product(shapes())
	met := map[string]int{}
	step := 1
	if testing.Short() {
		step = 29 // prime: it meets every value of every flag
	}
	for n := 0; n < len(all); n += step {
		given := fill(all[n], n)
		if nonsense := nonsense(given); nonsense != "" {
			if _, err := renderChosen(given); err == nil {
				t.Errorf("%v passes: %s", given, nonsense)
			}
			refused++
			continue
		}
		if err := accepted(given); err != nil {
			t.Errorf("%v: %v", given, err)
		}
		made++
		for flag, value := range given {
			met[flag+"="+value]++
		}
	}
	for _, c := range append(shapes(), fillings()...) {
		for _, value := range c.values {
			if n := met[c.flag+"="+value]; value != "" && n < 3 {
				t.Errorf("--%s %s is in %d combinations only", c.flag, value, n)
			}
		}
	}
	t.Logf("%d combinations made, %d refused", made, refused)
}

// product is every combination of choices.
func product(choices []choice) []map[string]string {
	all := []map[string]string{{}}
	for _, c := range choices {
		var longer []map[string]string
		for _, m := range all {
			for _, value := range c.values {
				with := maps.Clone(m)
				if value != "" {
					with[c.flag] = value
				}
				longer = append(longer, with)
			}
		}
		all = longer
	}
	return all
}

// fill adds the nth values.
func fill(given map[string]string, n int) map[string]string {
	given = maps.Clone(given)
	for _, c := range fillings() {
		value := c.values[n%len(c.values)]
		n = n/len(c.values) + n%len(c.values)*7
		_, elsewhere := given["endpoint"]
		_, monitored := given["pod-monitor"]
		_, listens := given["listen"]
		switch {
		case value == "", c.flag == "time-zone" && given["cron"] == "", c.flag == "backup-host" && elsewhere, c.flag == "linger" && !monitored && !listens:
			continue // makes no sense there, and is refused: see the table of package settings
		}
		given[c.flag] = value
	}
	return given
}

// nonsense says why a combination has to be refused.
func nonsense(given map[string]string) string {
	switch {
	case given["claim-per-shard"] != "" && given["shards"] == "":
		return "a claim for each of no shards"
	case given["cron"] != "" && given["max-duration"] == "":
		return "a CronJob without an end"
	}
	return ""
}

func renderChosen(given map[string]string) ([]byte, error) {
	all := flags()
	var extra []string
	for name, value := range given {
		if name == "--" {
			extra = []string{value}
			continue
		}
		all[name] = []string{value}
	}
	if given["endpoint"] != "" {
		delete(all, "region")
	}
	return render(all, extra...)
}

func accepted(given map[string]string) error {
	text, err := renderChosen(given)
	if err != nil {
		return err
	}
	var c cluster
	for _, document := range documents(text) {
		if err := c.take(document); err != nil {
			return fmt.Errorf("%w in\n%s", err, document)
		}
	}
	return c.check()
}
