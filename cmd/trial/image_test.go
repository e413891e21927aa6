package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"math/big"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"friendmigrate/cmd/trial/lab"
)

// found is what a judge finds.
func found(judge func(*suite)) []string {
	var out strings.Builder
	s := &suite{out: &out}
	judge(s)
	return strings.SplitAfter(out.String(), "\n")[:s.violations]
}

// sound is an image that is as it should be.
func sound(t *testing.T) *lab.Shipped {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s := &lab.Shipped{
		Compressed: 6e6, Unpacked: 15e6, Entries: slices.Clone(imageEntries),
		Files: map[string][]byte{"etc/ssl/certs/ca-certificates.crt": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})},
	}
	s.Config.Created = time.Unix(lab.BuildTime, 0).UTC().Format(time.RFC3339)
	c := &s.Config.Config
	c.User, c.WorkingDir, c.Entrypoint, c.Env = "65532:65532", "/data", []string{"/usr/local/bin/friendmigrate"}, []string{"TMPDIR=/data"}
	c.Labels = map[string]string{
		"org.opencontainers.image.title": "friendmigrate", "org.opencontainers.image.version": imageVersion, "org.opencontainers.image.description": "x",
	}
	return s
}

func TestAnImageThatIsNotAsPromisedIsFound(t *testing.T) {
	whole := sound(t)
	if got := found(func(s *suite) { s.judgeImage(whole) }); len(got) > 0 {
		t.Fatalf("a sound image: %q", got)
	}
	for name, spoil := range map[string]func(*lab.Shipped){
		"too large":       func(s *lab.Shipped) { s.Compressed = mostCompressed + 1 },
		"too large there": func(s *lab.Shipped) { s.Unpacked = mostUnpacked + 1 },
		"a shell":         func(s *lab.Shipped) { s.Entries = append(s.Entries, "-rwxr-xr-x 0:0 bin/sh") },
		"no certificates": func(s *lab.Shipped) { s.Files = map[string][]byte{"etc/ssl/certs/ca-certificates.crt": []byte("none")} },
		"root's data":     func(s *lab.Shipped) { s.Entries[len(s.Entries)-1] = "drwxr-xr-x 0:0 data/" },
		"root":            func(s *lab.Shipped) { s.Config.Config.User = "" },
		"a named user":    func(s *lab.Shipped) { s.Config.Config.User = "nobody" },
		"when":            func(s *lab.Shipped) { s.Config.Created = "2026-01-01T00:00:00Z" },
		"a label":         func(s *lab.Shipped) { s.Config.Config.Labels["io.buildah.version"] = "1" },
		"a variable":      func(s *lab.Shipped) { s.Config.Config.Env = append(s.Config.Config.Env, "GOPROXY=x") },
	} {
		s := *whole
		s.Entries, s.Config.Config.Labels = slices.Clone(whole.Entries), maps.Clone(whole.Config.Config.Labels)
		spoil(&s)
		if got := found(func(judge *suite) { judge.judgeImage(&s) }); len(got) != 1 {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestALimitThatIsNotKeptIsFound(t *testing.T) {
	l := limit{flag: "128m", resident: 90, edges: 10}
	judge := func(l limit, end lab.Ended, peak, there int64) []string {
		return found(func(s *suite) { s.judgeLimit(l, end, peak, there) })
	}
	if got := judge(l, lab.Ended{}, 80, 10); len(got) > 0 {
		t.Errorf("a limit that was kept: %q", got)
	}
	tooLow := limits[len(limits)-1]
	for name, got := range map[string][]string{
		"killed":       judge(l, lab.Ended{Code: -1, Signal: syscall.SIGKILL}, 80, 10),
		"lost an edge": judge(l, lab.Ended{}, 80, 9),
		"too much":     judge(l, lab.Ended{}, 91, 10),
		"not seen":     judge(l, lab.Ended{}, 0, 10),
		"no limit":     judge(tooLow, lab.Ended{}, 0, tooLow.edges),
	} {
		if len(got) != 1 || strings.TrimSpace(got[0]) == "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
