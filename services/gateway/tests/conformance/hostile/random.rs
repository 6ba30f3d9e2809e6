//! Chance that is the same in each run.

pub(super) struct Random(u64);

impl Random {
    pub(super) fn of(number: usize) -> Self {
        let mut random = Self((number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        random.next();
        random
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Less than this.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("a small number")
    }

    pub(super) fn pick<'a, T>(&mut self, several: &'a [T]) -> &'a T {
        &several[self.below(several.len())]
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[3]
    }

    /// Up to so many bytes.
    pub(super) fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most) + 1;
        (0..length).map(|_| self.byte()).collect()
    }
}
