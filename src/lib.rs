//! The half of trustprobe that touches the world.

pub mod output;
