package guarantee

import (
	"slices"
	"testing"
)

func TestNumbersAreThoseOfThePage(t *testing.T) {
	for number, one := range map[int]Set{
		1: ExplicitAccess, 2: ServerPerPeer, 3: TwoControls, 4: EgressCallers, 5: TLSOnEveryHop, 6: NoPrivateKeys, 7: NothingInternal,
		8: DeclaredNames, 9: Reproducible, 10: IndependentMeshes, 11: ErrorsNotGuesses, 12: WorkloadsUntouched, 13: ValidObjects,
		14: OneIstioFolder, 15: CompleteRemoval, 16: ProtectionFirst, 17: TenantsKeptOut,
	} {
		if got := one.Numbers(); !slices.Equal(got, []int{number}) || !one.Valid() {
			t.Errorf("guarantee %d has the numbers %v", number, got)
		}
	}
	if got := (TwoControls | ExplicitAccess).Numbers(); !slices.Equal(got, []int{1, 3}) {
		t.Errorf("two guarantees have the numbers %v", got)
	}
}

func TestASetWithoutAGuaranteeOrWithAnUnknownOneIsNotValid(t *testing.T) {
	for _, s := range []Set{0, 1, TenantsKeptOut << 1} {
		if s.Valid() {
			t.Errorf("%b is valid", s)
		}
	}
}
