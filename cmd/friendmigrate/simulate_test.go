package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"friendmigrate/cmd/friendmigrate/job"
)

// TestEverySimulationRecipeServes runs the commands of the help text as they stand there.
func TestEverySimulationRecipeServes(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("sim.key", []byte("word"), 0o600); err != nil {
		t.Fatal(err)
	}
	help, _ := call(t, 0, nil, "simulate", "--help")
	served := 0
	for line := range strings.Lines(strings.ReplaceAll(help, "\\\n", " ")) {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] != "friendmigrate" || words[2] == "[flags]" {
			continue
		}
		served++
		if answer := callOnce(t, words); !strings.Contains(answer, `"ErrorCode":60012`) {
			t.Errorf("%s: it answers %q", line, answer)
		}
	}
	if want := strings.Count(help, "friendmigrate simulate --sdk-app-id"); served != want || served < 6 {
		t.Errorf("%d recipes served, %d are there", served, want)
	}
}

// callOnce runs simulate and calls it without parameters.
func callOnce(t *testing.T, args []string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	var problems bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, args, job.Streams{In: strings.NewReader(""), Out: in, Err: &problems}, nil)
		_ = in.Close()
		ended <- code
	}()
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		cancel()
		t.Fatalf("%v: exit code %d\n%s", args, <-ended, problems.String())
	}
	answer, err := http.Post(strings.TrimSpace(url)+"/v4/sns/friend_get", "", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("%v: exit code %d\n%s", args, code, problems.String())
	}
	return string(body)
}
