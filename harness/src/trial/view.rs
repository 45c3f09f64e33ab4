//! What the programs of a trial may see and write of the file system.

use std::path::Path;
use std::process::Command;

use super::Trial;
use crate::program::View;

impl Trial {
    /// What a command's program may see of the file system: of a lab's own program its file, of one
    /// that the user has named what the user sees. It may write to the folders of this trial that
    /// it is told of.
    pub(super) fn view_of(&self, command: &Command) -> View {
        let file = command.get_program().to_string_lossy();
        let mut words = vec![file.as_ref()];
        words.extend(command.get_args().filter_map(|word| word.to_str()));
        let own = self
            .0
            .templates
            .iter()
            .find(|(_, one)| one.words().first().is_some_and(|word| *word == file));
        let mut view = match own {
            Some((_, template)) if template.is_own() => View::of_file(Path::new(&*file)),
            _ => View::of_command(&words, &std::env::current_dir().unwrap_or_default()),
        };
        let values = command.get_envs().filter_map(|(_, value)| value?.to_str());
        let told: Vec<&str> = words.iter().copied().chain(values).collect();
        for folder in self.0.folders.borrow().iter() {
            let path = folder.path();
            if told.iter().any(|text| text.contains(&*path.to_string_lossy())) {
                view.make_writable(path);
            }
        }
        view
    }
}
