package migrate

import "testing"

func TestNearestKnownWord(t *testing.T) {
	columns := []string{"From_Account", "To_Account", "AddSource", "AddTime"}
	for _, c := range []struct {
		word string
		most int
		want string
	}{
		{"From_Acount", 2, "From_Account"},
		{"from_account", 2, "From_Account"},
		{"TO_ACCOUNT", 0, "To_Account"},
		{"Form_Account", 2, "From_Account"}, // two letters that changed places are two changes
		{"FormAccount", 2, ""},
		{"", 2, ""},
		{"AddTim", 9, "AddTime"},
	} {
		if got := Nearest(c.word, c.most, columns...); got != c.want {
			t.Errorf("Nearest(%q, %d) = %q, want %q", c.word, c.most, got, c.want)
		}
	}
	if got := Nearest("a", 5); got != "" {
		t.Errorf("Nearest of no words = %q", got)
	}
}
