package plan

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/source"
)

// rowsOf writes n rows of accounts with 40 friends each, in no order.
func rowsOf(n int) string {
	var b strings.Builder
	for i := range n {
		from := i * 7919 % n / 40
		fmt.Fprintf(&b, "u%08d,u%08d,AddSource_Type_Import,\n", from, (from+i*31+1)%(n/40+1)+n)
	}
	return b.String()
}

// cost is what something took.
type cost struct{ wall, cpu time.Duration }

func costOf(b *testing.B, f func() error) cost {
	b.Helper()
	cpu := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	began, before := time.Now(), cpu()
	if err := f(); err != nil {
		b.Fatal(err)
	}
	return cost{wall: time.Since(began), cpu: cpu() - before}
}

func (c *cost) add(o cost) {
	c.wall += o.wall
	c.cpu += o.cpu
}

// BenchmarkPlanOverStaging holds a plan against the staging that an import does, in the same run,
// each as often, by turns: what matters is the ratio. FRIENDMIGRATE_BENCH_INPUT names an input that
// is larger than a million rows.
func BenchmarkPlanOverStaging(b *testing.B) {
	o := planOf(b, "")
	o.Set.Memory = 256 << 20
	if name := os.Getenv("FRIENDMIGRATE_BENCH_INPUT"); name != "" {
		o.Inputs = []string{name}
	} else if err := os.WriteFile(o.Inputs[0], []byte(header+rowsOf(1_000_000)), 0o600); err != nil {
		b.Fatal(err)
	}
	stage := func() error {
		dir := filepath.Join(filepath.Dir(o.Set.State), "staging")
		p, err := source.ReadInputs(b.Context(), source.Request{Inputs: o.Inputs, StateDir: dir, Options: o.Set.Rows,
			Memory: job.StagingShare(o.Set.Memory)})
		if err != nil {
			return err
		}
		s, err := p.Seal()
		if err != nil {
			return err
		}
		if err := s.Close(); err != nil {
			return err
		}
		return os.RemoveAll(dir) // as a plan does with its folder
	}
	var planned, staged cost
	for b.Loop() {
		staged.add(costOf(b, stage))
		planned.add(costOf(b, func() error {
			_, err := (&making{Job: o.Job}).make(b.Context())
			return err
		}))
	}
	b.ReportMetric(planned.cpu.Seconds()/staged.cpu.Seconds(), "cpu/staging")
	b.ReportMetric(planned.wall.Seconds()/staged.wall.Seconds(), "wall/staging")
	b.ReportMetric(planned.wall.Seconds()/float64(b.N), "s/plan")
}
