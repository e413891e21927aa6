package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"friendmigrate/sink/simulator"
)

// Every command of the README runs as it stands there, in its order, and ends with 0: against a
// simulated service in which no account exists yet. Only what builds and tests is left out.
func TestTheCommandsOfTheREADMERun(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(readme) > 16_000 {
		t.Errorf("the README has %d bytes", len(readme))
	}
	service, url := serveApp(t, simulator.Config{App: simulator.App{
		Accounts: func(id string) bool { return id == "administrator" },
	}})
	here := strings.NewReplacer("FRIENDMIGRATE_REGION=singapore", "FRIENDMIGRATE_ENDPOINT="+url, "1400000000", scriptApp)
	dir := t.TempDir()
	var script strings.Builder
	script.WriteString("set -eu\n")
	blocks := regexp.MustCompile("(?ms)^ *```sh\n(.*?)^ *```$").FindAllStringSubmatch(string(readme), -1)
	for _, block := range blocks {
		for line := range strings.Lines(block[1]) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "go ") {
				fmt.Fprintln(&script, here.Replace(line))
			}
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	testdata, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"friendmigrate": self, "testdata": testdata} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"edges.csv":  "From_Account,To_Account,AddSource\nalice,bob,AddSource_Type_Web\nbob,alice,AddSource_Type_Web\n",
		"pilot.txt":  "alice\n",
		"secret.key": scriptKey,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("sh", "-c", script.String())
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	out, err := cmd.CombinedOutput()
	if err != nil || len(blocks) < 11 {
		t.Errorf("%d blocks: %v\n%s\n%s", len(blocks), err, script.String(), out)
	}
	// On a busy machine a call arrives late and the limit of the simulated service refuses one
	// more.
	for said, printed := range map[string]string{
		"22,000 edges of 2,001 accounts take at least 2,002 calls, 10s at 200 per second": "",
		"the simulated service counts 22,000 edges and 2,002 calls itself, none overlapping, at most 199 in any second": "" +
			`the simulated service counts 22,000 edges and 2,0\d\d calls itself, none overlapping, at most \d+ in any second`,
	} {
		pattern := regexp.MustCompile(cmp.Or(printed, regexp.QuoteMeta(said)))
		if !strings.Contains(string(readme), said) || !pattern.Match(out) {
			t.Errorf("the sample of the README is not what is printed: %s\n%s", said, out)
		}
	}
	if s := service.Stats(); s.GraphEdges != 2 {
		t.Errorf("the service has %d edges", s.GraphEdges)
	}
}
