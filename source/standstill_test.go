package source

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAMinuteWithoutInputIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to := io.Pipe()
		var told []string
		began := time.Now()
		j := Request{
			Inputs: []string{Standard}, Options: Options{Format: CSV}, Stdin: from, StateDir: t.TempDir(), FS: quickFS{},
			Waits: func(message string) { told = append(told, time.Since(began).Round(time.Second).String()+" "+message) },
		}
		go func() {
			time.Sleep(50 * time.Second)
			io.WriteString(to, sniffHeader)
			time.Sleep(3 * time.Minute)
			io.WriteString(to, "a,b,"+src+",\n")
			time.Sleep(30 * time.Second)
			to.Close()
		}()
		p, err := ReadInputs(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "rows", p.Counts.Rows, 1)
		if len(told) != 1 || !strings.HasSuffix(told[0], "nothing was read for 60 s: waiting for standard input") ||
			told[0] < "1m50" || told[0] > "1m56" {
			t.Errorf("got %q", told)
		}
	})
}

func TestAMinuteOfComparingIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to := io.Pipe()
		told := 0
		time.AfterFunc(5*time.Minute, func() { to.Close() })
		_, err := Compare(t.Context(), []Input{{Name: Standard, Std: true}}, Request{
			Inputs: []string{Standard}, Options: Options{Format: CSV}, Stdin: from, Waits: func(string) { told++ },
		})
		if err != nil || told != 1 {
			t.Errorf("told %d times, %v", told, err)
		}
	})
}
