package sink

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"
)

const (
	testApp   = 1400000000
	testAdmin = "administrator"
	testKey   = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

func testSigner(t *testing.T, lifetime time.Duration, source KeySource) *signer {
	t.Helper()
	s, err := newSigner(testApp, testAdmin, lifetime, source, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func verify(t *testing.T, s *signer, key string) signature {
	t.Helper()
	sig, err := s.current()
	if err != nil {
		t.Fatal(err)
	}
	if err := tencentyun.VerifyUserSig(testApp, key, testAdmin, sig.text, time.Now()); err != nil {
		t.Fatalf("the signature does not verify: %v", err)
	}
	return sig
}

// TestSignatureIsRenewedAheadOfItsEnd: runs that outlive their signature die with 70001.
func TestSignatureIsRenewedAheadOfItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := testSigner(t, time.Hour, StaticKey(NewSecret(testKey)))
		first := verify(t, s, testKey)
		time.Sleep(48*time.Minute - time.Second)
		if sig := verify(t, s, testKey); sig != first {
			t.Error("renewed before 80 % of its life")
		}
		time.Sleep(2 * time.Second)
		if sig := verify(t, s, testKey); sig.number != first.number+1 || sig.text == first.text {
			t.Error("not renewed after 80 % of its life")
		}
		for range 24 * 60 {
			time.Sleep(time.Minute)
			verify(t, s, testKey)
		}
		if n := s.renewed(); n < 25 || n > 32 {
			t.Errorf("%d renewals in a day of hourly signatures", n)
		}
	})
}

// TestRefusedSignatureIsRenewedOnceForAll: three hundred workers are told 70001 at once.
func TestRefusedSignatureIsRenewedOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := testSigner(t, time.Hour, StaticKey(NewSecret(testKey)))
		old := verify(t, s, testKey)
		var wg sync.WaitGroup
		for range 300 {
			wg.Go(func() {
				if err := s.renewRefused(context.Background(), old.number); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := s.renewed(); n != 1 {
			t.Errorf("%d renewals, want 1", n)
		}
		if sig := verify(t, s, testKey); sig.text == old.text {
			t.Error("a signature of the same second is the same signature: it must wait for the next")
		}
	})
}

// TestReplacedKeyIsReadAgain: by and by, and at once when the service refuses the old one.
func TestReplacedKeyIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "key")
		write := func(text string) {
			if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(file+".new", file); err != nil {
				t.Fatal(err)
			}
		}
		write(" " + testKey + "\n")
		s := testSigner(t, time.Hour, KeyFile(file))
		verify(t, s, testKey)

		second := strings.Repeat("f", 64)
		write(second)
		time.Sleep(11 * time.Second)
		verify(t, s, second)

		third := strings.Repeat("e", 60)
		write(third)
		sig, _ := s.current()
		if !s.renewIfKeyChanged(sig.number) {
			t.Error("the new key was not seen at once")
		}
		now := verify(t, s, third)
		if s.renewIfKeyChanged(now.number) {
			t.Error("the same key counts as a new one")
		}
		if !s.renewIfKeyChanged(sig.number) {
			t.Error("a signature that is newer than the refused one does not count")
		}

		for _, broken := range []func(){func() { write("") }, func() { write("\n") }, func() { write(strings.Repeat("x", 5000)) }, func() { write(`"` + testKey + `"`) },
			func() { _, _ = os.Remove(file), syscall.Mkfifo(file, 0o600) }, func() { _ = os.Remove(file) }} {
			broken()
			time.Sleep(9 * time.Minute)
			verify(t, s, third) // goes on as long as the signature lasts
		}
		time.Sleep(time.Hour)
		if _, err := s.current(); err == nil {
			t.Error("an expired signature is given out")
		}
		write(third)
		verify(t, s, third)
	})
}

type warnings []string

func (w *warnings) Debug(string, ...any)       {}
func (w *warnings) Warn(text string, _ ...any) { *w = append(*w, text) }

// TestAKeyThatIsGoneIsSaidOnce, when it is missed first and when a renewal needs it: the key is looked
// for every ten seconds.
func TestAKeyThatIsGoneIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said warnings
		err := errors.New("gone")
		key := func() (Secret, error) { return NewSecret(testKey), err }
		s := testSigner(t, time.Hour, StaticKey(NewSecret(testKey)))
		s.log, s.source = &said, key
		until := "; the present signature lasts until 2000-01-01 01:00:00 UTC"
		want := []string{"the secret key cannot be read now" + until}
		for second := range 3000 {
			if second == 1000 || second == 2000 {
				err = nil // it is back for a moment
				want = append(want, want[0])
			}
			time.Sleep(time.Second)
			if second%20 == 0 {
				verify(t, s, testKey)
				err = errors.New("gone")
			}
		}
		want = append(want, "the signature could not be renewed"+until)
		if !slices.Equal(said, want) {
			t.Errorf("said  %q\nwant %q", said, want)
		}
	})
}

func TestAKeyWithSomethingAroundItIsNamedAndNeverShown(t *testing.T) {
	utf16 := func(order binary.AppendByteOrder, mark bool) (text []byte) {
		if mark {
			text = order.AppendUint16(text, 0xFEFF)
		}
		for _, c := range testKey + "\r\n" {
			text = order.AppendUint16(text, uint16(c))
		}
		return text
	}
	for text, want := range map[string]string{
		testKey: "", "\ufeff" + testKey + "\r\n": "", "\n\ufeff " + testKey + "\ufeff": "", strings.ToUpper(testKey): "",
		`"` + testKey + `"`: "in quotes", "'" + testKey + "'\n": "in quotes", "“" + testKey + "”": "in quotes", testKey + `"`: "in quotes",
		string(utf16(binary.LittleEndian, true)): "UTF-16", string(utf16(binary.BigEndian, true)): "UTF-16",
		string(utf16(binary.LittleEndian, false)): "UTF-16", string(utf16(binary.BigEndian, false)): "UTF-16",
		base64.StdEncoding.EncodeToString([]byte(testKey)): "base64", base64.StdEncoding.EncodeToString([]byte(testKey + "\n")): "base64",
		base64.RawStdEncoding.EncodeToString([]byte(testKey)): "base64",
		"SECRET_KEY=" + testKey:                               "NAME=VALUE", "export KEY='" + testKey + "'": "in quotes", "key:" + testKey: "NAME=VALUE",
		testKey + " " + testKey: "white space", testKey[:8] + "é": "unusual", "\ufeff\n": "empty",
	} {
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := KeyFile(file)()
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file)):
			t.Errorf("%.20q: %v, want %q", text, err, want)
		case err != nil && strings.Contains(err.Error(), testKey[:6]):
			t.Errorf("%.20q: the key is shown: %v", text, err)
		}
	}
}

func TestAKeyFromAPipeIsReadOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Skip(err)
	}
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(file, []byte(testKey), 0o600) }()
	source := KeyFile(file)
	for range 2 { // a second read would wait for another writer
		if key, err := source(); err != nil || key.Reveal() != testKey {
			t.Fatal(err)
		}
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
}

// TestImpossibleSignersAreRefused: the official module signs for app 0 with an empty key.
func TestImpossibleSignersAreRefused(t *testing.T) {
	if _, err := tencentyun.GenUserSig(0, "", "", 0); err != nil {
		t.Fatal("the module checks its input now")
	}
	good := StaticKey(NewSecret(testKey))
	if _, err := newSigner(1<<32-1, testAdmin, 0, good, slog.New(slog.DiscardHandler)); err != nil {
		t.Errorf("the largest unsigned number of 32 bits: %v", err)
	}
	for name, try := range map[string]struct {
		app      uint64
		id       string
		lifetime time.Duration
		key      KeySource
	}{
		"no app":          {0, testAdmin, 0, good},
		"huge app":        {1 << 32, testAdmin, 0, good},
		"no identifier":   {testApp, "", 0, good},
		"long identifier": {testApp, strings.Repeat("a", 33), 0, good},
		"line in it":      {testApp, "a\nTLS.sdkappid:1", 0, good},
		"not UTF-8":       {testApp, "a\xff", 0, good},
		"half a second":   {testApp, testAdmin, time.Second / 2, good},
		"negative":        {testApp, testAdmin, -time.Hour, good},
		"a century":       {testApp, testAdmin, 100 * 365 * 24 * time.Hour, good},
		"no source":       {testApp, testAdmin, 0, nil},
		"empty key":       {testApp, testAdmin, 0, StaticKey(NewSecret(" \n"))},
		"zero key":        {testApp, testAdmin, 0, StaticKey(Secret{})},
		"two lines":       {testApp, testAdmin, 0, StaticKey(NewSecret("abc\ndef"))},
		"error":           {testApp, testAdmin, 0, func() (Secret, error) { return Secret{}, errors.New("x") }},
		"no file":         {testApp, testAdmin, 0, KeyFile(filepath.Join(t.TempDir(), "none"))},
	} {
		if _, err := newSigner(try.app, try.id, try.lifetime, try.key, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: a signer", name)
		}
	}
}

// TestSecretsPrintAsStars in every verb, also inside of other things.
func TestSecretsPrintAsStars(t *testing.T) {
	key := NewSecret(testKey)
	inside := struct {
		Shown  Secret
		hidden Secret
		list   []Secret
	}{key, key, []Secret{key}}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%T"} {
		fmt.Fprintf(&out, verb+verb+verb, key, &key, inside)
	}
	fmt.Fprint(&out, key, inside)
	text, err := json.Marshal(map[string]any{"key": key, "in": inside, "at": &key})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	slog.New(slog.NewTextHandler(&out, nil)).Error("x", "key", key, "in", inside)
	slog.New(slog.NewJSONHandler(&out, nil)).Error("x", "key", key, "in", inside)
	for _, leak := range []string{testKey, testKey[:16], fmt.Sprintf("%x", testKey)} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("the key is in %s", out.String())
		}
	}
	if key.String() != mask || key.Reveal() != testKey {
		t.Error(key.String(), "or the key itself is wrong")
	}
}

func TestRegions(t *testing.T) {
	want := map[string][2]string{
		"china":          {"https://console.tim.qq.com", "https://adminapi.my-imcloud.com"},
		"singapore":      {"https://adminapisgp.im.qcloud.com", "https://adminapisgp.my-imcloud.com"},
		"seoul":          {"https://adminapikr.im.qcloud.com", "https://adminapikr.my-imcloud.com"},
		"frankfurt":      {"https://adminapiger.im.qcloud.com", "https://adminapiger.my-imcloud.com"},
		"silicon-valley": {"https://adminapiusa.im.qcloud.com", "https://adminapiusa.my-imcloud.com"},
		"jakarta":        {"https://adminapiidn.im.qcloud.com", "https://adminapiidn.my-imcloud.com"},
		"tokyo":          {"https://adminapijpn.im.qcloud.com", "https://adminapijpn.my-imcloud.com"},
	}
	if len(Regions()) != len(want) {
		t.Errorf("regions %v", Regions())
	}
	for _, name := range Regions() {
		first, err1 := RegionEndpoint(name, false)
		second, err2 := RegionEndpoint(name, true)
		if err1 != nil || err2 != nil || first != want[name][0] || second != want[name][1] {
			t.Errorf("%s: %s %s", name, first, second)
		}
	}
	if _, err := RegionEndpoint("mars", false); err == nil {
		t.Error("mars is a region")
	}
}

func TestEndpoints(t *testing.T) {
	for text, ok := range map[string]bool{
		"https://host": true, "https://host:8443/": true, "https://host/prefix/": true, "http://127.0.0.1:1": true, "http://[::1]:1": true, "http://localhost": true,
		"http://host": false, "http://127.0.0.1.example.com": false, "ftp://host": false, "host": false, "": false, "https://": false, "https://user:pw@host": false,
		"https://host?usersig=1": false, "https://host#x": false, "http://user:s3cret@ho st": false,
	} {
		u, err := parseEndpoint(text, false)
		if (err == nil) != ok {
			t.Errorf("%q: %v %v", text, u, err)
		}
		if err != nil && (strings.Contains(err.Error(), "pw") || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("%q: the password is in %q", text, err)
		}
	}
	if _, err := parseEndpoint("http://host", true); err != nil {
		t.Error("plain HTTP was asked for by name:", err)
	}
}
