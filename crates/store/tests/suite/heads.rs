//! Heads, asked for and announced.

use std::time::Duration;

use crate::{
    Fresh,
    fixture::{channel, execute, fill, history},
};

pub(crate) async fn heads_come_in_the_order_asked_for(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    fill(&database, &log, "a", "x", 3).await;
    fill(&database, &log, "b", "x", 1).await;
    let names: Vec<_> = ["b", "nobody", "a", "b"].iter().map(|name| channel(name).to_string()).collect();
    let heads = log.heads(&names).await.unwrap();
    let offsets: Vec<_> = heads.iter().map(|head| head.offset).collect();
    assert_eq!(offsets, [1, 0, 3, 1]);
    assert!(heads.iter().zip(&names).all(|(head, name)| head.channel == *name));
    assert!(log.heads(&[]).await.unwrap().is_empty());
    let many: Vec<_> =
        (0..1_200).map(|number| channel(&number.to_string()).to_string()).chain(names).collect();
    assert_eq!(log.heads(&many).await.unwrap().iter().map(|head| head.offset).sum::<u64>(), 5);
}

pub(crate) async fn known_causes_are_those_of_their_channel(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    fill(&database, &log, "a", "x", 2).await;
    let (a, b) = (channel("a"), channel("b"));
    let mut connection = database.reader().acquire().await.unwrap();
    let asked = [(a.as_str(), "x1"), (a.as_str(), "y1"), (b.as_str(), "x1")];
    let known = log.known(&mut connection, &asked).await.unwrap();
    assert_eq!(known, [(a.to_string(), "x1".to_owned())].into());
    assert!(log.known(&mut connection, &[]).await.unwrap().is_empty());
    let caused = log.caused(&mut connection, &asked).await.unwrap();
    assert_eq!(caused.len(), 1);
    let told = history(&log, "a", 0, 10).await.events;
    assert!(told.contains(&caused[&(a.to_string(), "x1".to_owned())]));
}

pub(crate) async fn recently_changed_channels_are_announced(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    fill(&database, &log, "old", "x", 3).await;
    execute(&database, "UPDATE event SET at = at - 600000000").await;
    fill(&database, &log, "new", "x", 2).await;
    let announced = log.announcements(Duration::from_secs(300)).await.unwrap();
    assert_eq!(announced.len(), 1);
    let event = &announced[0];
    assert_eq!((event.channel.as_str(), event.offset), (channel("new").as_str(), 2));
    assert!(event.variants.is_empty() && event.epoch == log.epoch() && event.at > 0);
    assert_eq!(log.announcements(Duration::from_secs(900)).await.unwrap().len(), 2);
    assert_eq!(log.announcements(Duration::MAX).await.unwrap().len(), 2);
}
