package answers

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"friendmigrate/sink/simulator"
)

// network is the variable that names a real network: a CSV of From_Account, To_Account and
// AddSource, compressed by gzip, without duplicates.
const network = "FRIENDMIGRATE_NETWORK"

// TestRealNetwork runs the program against its own simulate, two processes, over a real network,
// which it takes some minutes for:
//
//	FRIENDMIGRATE_NETWORK=.../facebook-friends.csv.gz go test ./cmd/friendmigrate/answers -run TestRealNetwork -v
func TestRealNetwork(t *testing.T) {
	t.Parallel()
	file := os.Getenv(network)
	if file == "" {
		t.Skipf("%s names no network", network)
	}
	n := readNetwork(t, file)
	t.Run("all passing faults at once", n.badNight)
	t.Run("poison", n.poison)
	t.Run("nobody is there, and later somebody is", n.deadEndpoint)
	t.Run("a process that stands still", n.standStill)
}

// graph is a network as a test needs it.
type graph struct {
	file   string
	rows   [][]string
	digest simulator.Digest
	chunks int64 // calls of a perfect import
}

func readNetwork(t *testing.T, file string) *graph {
	file, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	n := &graph{file: file, rows: rows[1:]}
	friends := map[string]int64{}
	for _, row := range n.rows {
		n.digest.Add(row[0], row[1])
		friends[row[0]]++
	}
	for _, k := range friends {
		n.chunks += (k + 999) / 1000
	}
	return n
}

// served is a simulate in a process of its own.
type served struct {
	t   *testing.T
	url string
}

// simulate starts friendmigrate simulate; it ends with the test.
func (p *program) simulate(t *testing.T, listen string, more ...string) *served {
	t.Helper()
	c := p.command(append([]string{"simulate", "--listen", listen, "--sdk-app-id", fmt.Sprint(app), "--secret-key-file", "key"}, more...)...)
	c.Stdout = nil
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("simulate: %v\n%s", err, c.err.String())
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return &served{t, strings.TrimSpace(line)}
}

// stats is the service's own account.
func (s *served) stats() (v simulator.Stats) {
	s.t.Helper()
	answer, err := http.Get(s.url + "/_sim/stats")
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		s.t.Fatal(err)
	}
	return v
}

func (n *graph) importing(s *served, more ...string) []string {
	return append([]string{"import", n.file, "--sdk-app-id", fmt.Sprint(app), "--secret-key-file", "key", "--endpoint", s.url, "--state", "state"}, more...)
}

func (n *graph) badNight(t *testing.T) {
	p := newProgram(t, nil)
	s := p.simulate(t, "127.0.0.1:0", "--latency", "20ms", "--jitter", "60ms", "--seed", "5",
		"--limit", "200", "--limit-changes", "6s=100,16s=200", "--outage", "20s-40s", "--sig-expire", "4s",
		"--fault-code", "30006=2%,30007=2%,30008=2%,60008=1%,60013=1%,70169=1%,70500=1%", "--fault-code-applied", "30007=1%,60008=1%",
		"--fault-http", "500=0.5%,502=0.5%,503=0.5%,429=0.5%", "--fault-http-applied", "504=0.5%",
		"--fault-reset", "0.5%", "--fault-reset-applied", "0.5%", "--fault-close", "0.5%", "--fault-cut", "0.5%", "--fault-cut-applied", "0.5%",
		"--fault-body", "object=0.5%,empty=0.5%,html=0.5%,half=0.5%", "--fault-body-applied", "missing=0.5%,foreign=0.5%", "--fault-raw", "no-http=0.5%",
		"--fault-stall", "0.5%", "--fault-stall-applied", "0.5%", "--fault-item", "30006=0.5%,30008=0.5%", "--fault-item-applied", "30007=0.5%")
	run, code := p.run(n.importing(s, "--timeout", "3s")...)
	v := s.stats()
	faulty := int64(0)
	for _, k := range v.ByFault {
		faulty += k
	}
	t.Logf("%s\n%d calls for %d chunks in %v, %d of them met a fault (%.1f %%), %d refused for the rate, %d given up, largest sliding second %d, %d overlaps, %d signatures, %d connections",
		run.lastLine(), v.Calls, n.chunks, v.Last.Sub(v.First).Round(time.Second), faulty, 100*float64(faulty)/float64(v.Calls), v.RefusedRate, v.GaveUp, v.LargestSecond,
		v.Overlaps, v.Signatures, v.Connections)
	p.expect(run, code, 0, "all .* edges are in place")
	if v.Digest != n.digest.String() || v.Overlaps != 0 || v.OverlapsOpen != 0 || v.Signatures < 2 {
		t.Errorf("the service has %d of %d edges; %d overlaps; %d signatures", v.GraphEdges, len(n.rows), v.Overlaps, v.Signatures)
	}
}

// poison spreads 50 edges over the network that refuse the whole call they are in.
func (n *graph) poison(t *testing.T) {
	const k = 50
	p := newProgram(t, nil)
	poison, perAccount := simulator.Set{}, map[string]float64{}
	var lines []string
	for i := range k {
		row := n.rows[i*len(n.rows)/k]
		poison[pair(row[0], row[1])] = struct{}{}
		perAccount[row[0]]++
		lines = append(lines, pair(row[0], row[1]))
	}
	most := 0.0 // a chunk that holds offenders may cost so many calls more
	for _, bad := range perAccount {
		most += 2*bad*math.Log2(1000) + 2
	}
	p.write("poison", strings.Join(lines, "\n")+"\n")
	s := p.simulate(t, "127.0.0.1:0", "--latency", "20ms", "--limit", "200", "--poison", "@poison", "--poison-info", "Err_SNS_FriendImport_Custom_Tag_Illegal")
	run, code := p.run(n.importing(s)...)
	v := s.stats()
	t.Logf("%s\n%d calls for %d chunks: %d more, %.0f at most; %.2f calls a second, largest sliding second %d, %d refused for the rate",
		run.lastLine(), v.Calls, n.chunks, v.Calls-n.chunks, most, v.Rate, v.LargestSecond, v.RefusedRate)
	p.expect(run, code, 3, "50 edges failed")
	list := p.failed()
	for name, row := range list {
		if !poison.Has(name) || row["ResultCode"] != "30001" || row["ResultInfo"] != "Err_SNS_FriendImport_Custom_Tag_Illegal" {
			t.Errorf("%s failed with %s %q", name, row["ResultCode"], row["ResultInfo"])
		}
	}
	if len(list) != k || float64(v.Calls-n.chunks) > most || v.GraphEdges != int64(len(n.rows)-k) || v.Overlaps != 0 {
		t.Errorf("%d failed, %d edges in the service, %d overlaps", len(list), v.GraphEdges, v.Overlaps)
	}
}

func (n *graph) deadEndpoint(t *testing.T) {
	p := newProgram(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	began := time.Now()
	run, code := p.run(n.importing(&served{t, "http://" + address}, "--outage-timeout", "5s")...)
	t.Logf("%v: %s", time.Since(began).Round(time.Second), run.lastLine())
	p.expect(run, code, 4, "nothing got through for 5s")
	if failed := p.failed(); len(failed) != 0 {
		t.Errorf("%d edges failed by it", len(failed))
	}
	s := p.simulate(t, address, "--latency", "20ms", "--limit", "200")
	run, code = p.run(n.importing(s)...)
	v := s.stats()
	t.Logf("%s\n%d calls, %.2f a second, largest sliding second %d, %d refused for the rate", run.lastLine(), v.Calls, v.Rate, v.LargestSecond, v.RefusedRate)
	p.expect(run, code, 0, "all .* edges are in place")
	if v.Digest != n.digest.String() || v.Overlaps != 0 {
		t.Errorf("the service has %d of %d edges; %d overlaps", v.GraphEdges, len(n.rows), v.Overlaps)
	}
}

// standStill stops the process for more than a second, twice: what is due then must not leave all
// at once.
func (n *graph) standStill(t *testing.T) {
	p := newProgram(t, nil)
	s := p.simulate(t, "127.0.0.1:0", "--latency", "20ms", "--limit", "200")
	run := p.start(n.importing(s)...)
	for range 2 {
		for before := s.stats().Calls; s.stats().Calls < before+500; {
			time.Sleep(50 * time.Millisecond)
		}
		if err := run.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1200 * time.Millisecond)
		if err := run.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	code := run.end(t)
	v := s.stats()
	t.Logf("%s\n%d calls, %.2f a second, largest sliding second %d, %d refused for the rate (%.3f %%)", run.lastLine(), v.Calls, v.Rate, v.LargestSecond, v.RefusedRate, 100*v.RefusedShare)
	p.expect(run, code, 0, "all .* edges are in place")
	if v.Digest != n.digest.String() || v.RefusedShare > 0.005 { // 0.001 on a quiet machine; a busy one wakes the client late and the service too
		t.Errorf("the service has %d of %d edges; %d refused", v.GraphEdges, len(n.rows), v.RefusedRate)
	}
}
