package outcome

import (
	"strings"
	"testing"
)

func TestOutcomesAreComparedByWordOrByPrefix(t *testing.T) {
	for _, c := range []struct {
		got, expected string
		ok            bool
	}{
		{"200", "200", true}, {"403", "200", false}, {"reset", "refused | reset", true}, {"alert: expired certificate", "alert: *", true},
		{"closed", "alert: *", false}, {"503", "5* | closed", true}, {"2000", "200", false},
	} {
		if Matches(c.got, c.expected) != c.ok {
			t.Errorf("%q as %q", c.got, c.expected)
		}
	}
}

func TestWordsOfTheVocabularyAreAccepted(t *testing.T) {
	for _, expected := range []string{
		"200", "101", "OK", "UNAUTHENTICATED", "refused | timeout | unreachable", Rejected, AnyAlert, NoCertificate, "name", "418",
	} {
		if err := Check(expected); err != nil {
			t.Errorf("%q: %v", expected, err)
		}
	}
}

func TestAWordThatCannotOccurIsRejectedByName(t *testing.T) {
	for expected, word := range map[string]string{
		"closd | 503": `"closd"`, "alert: certificate requird": `"alert: certificate requird"`, "299": `"299"`, "": `""`, "ok": `"ok"`,
		"200|403": `"200|403"`, "alert*": `"alert*"`,
	} {
		if err := Check(expected); err == nil || !strings.HasPrefix(err.Error(), word+" is not an outcome") {
			t.Errorf("%q: %v", expected, err)
		}
	}
}

func TestDetailsFollowAWordOfTheVocabulary(t *testing.T) {
	for _, expected := range []string{"open: 220 lab ready echo: hello", "200 yes | 403", "OK: x-lab-trailer: yes", "alert: certificate required"} {
		if err := CheckDetailed(expected); err != nil {
			t.Errorf("%q: %v", expected, err)
		}
	}
	if err := CheckDetailed("opn: echo"); err == nil {
		t.Error("a misspelt word with details is accepted")
	}
	if err := CheckDetailed("greeting only", "greeting only"); err != nil {
		t.Errorf("a word that the case adds: %v", err)
	}
}
