package patience

import (
	"testing"
	"time"
)

func TestTheFactorGrowsWithTheLoadOfEachCore(t *testing.T) {
	for loadavg, want := range map[string]float64{
		"0.10 0.2 0.3 1/100 200\n":  1, // an idle machine shortens nothing
		"2.00 9.0 9.0 1/100 200\n":  1,
		"5.00 0.2 0.3 1/100 200\n":  2.5,
		"90.00 0.2 0.3 1/100 200\n": most,
		"":                          1,
	} {
		if got := factor(loadavg, 2); got != want {
			t.Errorf("%q: %v, not %v", loadavg, got, want)
		}
	}
}

func TestALimitIsNeverShortenedAndAlwaysBounded(t *testing.T) {
	if got := Of(time.Minute); got < time.Minute || got > most*time.Minute {
		t.Errorf("one minute became %s", got)
	}
}
