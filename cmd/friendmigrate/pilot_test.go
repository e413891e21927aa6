package main

import (
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestARejectedRowOfThePilotCounts(t *testing.T) {
	list := write(t, "rejected.csv", `Input,Line,Column,Reason,Row
a.csv,2,To_Account,is empty,"pilot,,AddSource_Type_X"
a.csv,3,To_Account,is empty,"other,,AddSource_Type_X"
a.csv,4,,broken,"pilot,""x"
a.jsonl,5,To_Account,is empty,"{""From_Account"":""pilot"",""To_Account"":""""}"
a.jsonl,6,To_Account,is empty,"{""From_Account"":""other"",""Remark"":7}"
a.csv,7,To_Account,is empty,"""pilot"",,x
y"
a.csv,8,To_Account,is empty,"pilot2,,"
`)
	p := &pilot{accounts: map[string]bool{"pilot": true}}
	if n, err := p.rejected(filepath.Dir(list)); n != 4 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := p.rejected(t.TempDir()); n != 0 || err != nil {
		t.Errorf("without a list: %d, %v", n, err)
	}
}
